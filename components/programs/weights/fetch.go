package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

// tray is the ending of a host's name: hosts are called after their rack (components/spec/derive.py, host_name).
var tray = regexp.MustCompile(`-t[0-9]+$`)

// rackOf tells the rack that a host stands in, by its name.
func rackOf(node string) string { return tray.ReplaceAllString(node, "") }

// fetcher fills one folder.
type fetcher struct {
	caches   []string // addresses, in the order in which they are asked
	into     string
	patience time.Duration
	web      *http.Client
}

func runFetch(ctx context.Context, arguments []string, output io.Writer) error {
	flags := flag.NewFlagSet("weights fetch", flag.ContinueOnError)
	var asked []string
	flags.Func("cache", "address of a cache, {rack} in it is the rack of --node; again for the next best (required)",
		func(address string) error {
			asked = append(asked, address)
			return nil
		})
	node := flags.String("node", "", "name of this host")
	whole := flags.String("manifest", "", "digest of the manifest of the weights")
	into := flags.String("into", "", "folder to fill")
	patience := flags.Duration("patience", 10*time.Minute, "how long caches that do not answer are asked again")
	parallel := flags.Int("parallel", 4, "files that are fetched at one time")
	if err := parse(flags, arguments, output, "manifest", "into"); err != nil {
		return err
	}
	of, err := parseDigest(*whole)
	if err != nil {
		return errUsage("--manifest " + err.Error())
	}
	if len(asked) == 0 || *parallel < 1 {
		return errUsage("--cache is missing, or --parallel is less than 1")
	}
	f := fetcher{into: *into, patience: *patience, web: client()}
	for _, address := range asked {
		f.caches = append(f.caches, strings.ReplaceAll(address, "{rack}", rackOf(*node)))
	}
	return f.all(ctx, of, *parallel)
}

// client notices within half a minute that the other side is gone, and waits as long as it takes while it is there:
// a cache answers once it has verified.
func client() *http.Client {
	dialer := &net.Dialer{Timeout: 3 * time.Second,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 3}}
	return &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: 8}}
}

// all fetches the manifest and every file that it names. The manifest is there last: it says that all is.
func (f *fetcher) all(ctx context.Context, of digest, parallel int) error {
	began := time.Now()
	log.Printf("fetching weights %s from %s", of, strings.Join(f.caches, ", then "))
	if err := os.MkdirAll(f.into, 0o755); err != nil {
		return err
	}
	draft := filepath.Join(f.into, manifestName+".part")
	if err := f.one(ctx, entry{Path: "the manifest", SHA256: of, Size: -1}, draft); err != nil {
		return err
	}
	found, err := readManifestFile(draft)
	if err != nil {
		return fmt.Errorf("%s: %w", of, err)
	}
	if err := f.files(ctx, found.Files, parallel); err != nil {
		return err
	}
	if err := os.Rename(draft, filepath.Join(f.into, manifestName)); err != nil {
		return err
	}
	log.Printf("weights %s are here and verified: %d files, %d MiB, in %.2f s", of, len(found.Files),
		found.size()>>20, time.Since(began).Seconds())
	return nil
}

// files fetches all, some at a time; the first error ends it.
func (f *fetcher) files(ctx context.Context, wanted []entry, parallel int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slots := make(chan struct{}, parallel)
	var every sync.WaitGroup
	for _, file := range wanted {
		slots <- struct{}{}
		every.Go(func() {
			defer func() { <-slots }()
			if ctx.Err() != nil {
				return
			}
			if err := f.file(ctx, file); err != nil {
				cancel(err)
			}
		})
	}
	every.Wait()
	return context.Cause(ctx)
}

// file leaves one that is there and right alone, as after a restart in the middle.
func (f *fetcher) file(ctx context.Context, file entry) error {
	path := filepath.Join(f.into, filepath.FromSlash(file.Path))
	if held, size, err := digestOfFile(path); err == nil && held == file.SHA256 && size == file.Size {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	draft := path + ".part"
	if err := f.one(ctx, file, draft); err != nil {
		return err
	}
	return os.Rename(draft, path)
}
