package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// bucketReads bounds the reads of the bucket at one time: more would only divide the same line.
const bucketReads = 4

// errorCode says to programs why a file is not served. They stay.
type errorCode string

const (
	codeMissing     errorCode = "weights-missing"
	codeRefused     errorCode = "weights-refused"
	codeTooLarge    errorCode = "larger-than-cache"
	codeUnavailable errorCode = "unavailable"
	codeMalformed   errorCode = "malformed"
)

// failure is the body of an answer that is no file.
type failure struct {
	Code    errorCode `json:"code"`
	Message string    `json:"message"`
}

func runServe(ctx context.Context, arguments []string, output io.Writer) error {
	flags := flag.NewFlagSet("weights serve", flag.ContinueOnError)
	var from bucketFlags
	folder := flags.String("folder", "", "folder of the cache, on a disk of this host")
	limit := flags.Int64("limit-mib", 0, "MiB that the cache keeps at most (required)")
	listen := flags.String("listen", ":8080", "address to listen on")
	if err := from.parse(flags, arguments, output, "folder"); err != nil {
		return err
	}
	if *limit < 1 {
		return errUsage(fmt.Sprintf("--limit-mib %d: allowed is 1 or more", *limit))
	}
	store, err := from.open()
	if err != nil {
		return err
	}
	kept, err := openCache(ctx, *folder, *limit<<20, bucketReads, store)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	files, used := kept.totals()
	log.Printf("cache of %s in %s: %d files, %d of %d MiB, on %s", from.bucket, *folder, files, used>>20, *limit,
		listener.Addr())
	return answer(ctx, listener, kept.handler())
}

// answer serves until the context ends. Readers are cut off then: they read on from where they are, elsewhere.
func answer(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return server.Close()
	}
}

func (c *cache) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /sha256/{digest}", c.serve)
	mux.HandleFunc("GET /metrics", c.metrics)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	return mux
}

// serve answers with a file by its digest, also in ranges. `Cache-Control: no-cache` is from a reader that found the
// file to be another: it is verified again first.
func (c *cache) serve(w http.ResponseWriter, r *http.Request) {
	of, err := parseDigest(r.PathValue("digest"))
	if err != nil {
		refuse(w, http.StatusBadRequest, codeMalformed, err)
		return
	}
	if r.Header.Get("Cache-Control") == "no-cache" {
		err = c.verify(r.Context(), of)
	}
	var file *reader
	if err == nil {
		file, err = c.open(r.Context(), of)
	}
	if err != nil {
		status, code := judge(err)
		if r.Context().Err() == nil {
			log.Printf("%s: %s: %v", of, code, err)
		}
		refuse(w, status, code, err)
		return
	}
	defer file.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("ETag", `"`+of.String()+`"`)
	http.ServeContent(w, r, "", time.Time{}, file)
}

// judge says how an error is answered.
func judge(err error) (int, errorCode) {
	var refused errRefused
	switch {
	case errors.Is(err, errMissing):
		return http.StatusNotFound, codeMissing
	case errors.As(err, &refused):
		return http.StatusBadGateway, codeRefused
	case errors.Is(err, errTooLarge):
		return http.StatusInsufficientStorage, codeTooLarge
	}
	return http.StatusServiceUnavailable, codeUnavailable
}

func refuse(w http.ResponseWriter, status int, code errorCode, why error) {
	w.Header().Set("Content-Type", "application/json")
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(failure{Code: code, Message: why.Error()})
}

// metrics tells what the cache did since it started, and what it holds.
func (c *cache) metrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	files, used := c.totals()
	for _, one := range []struct {
		name, kind, help string
		value            int64
	}{
		{"files", "gauge", "Files that are here and verified.", int64(files)},
		{"bytes", "gauge", "Bytes on the disk, with what is set aside for files on their way.", used},
		{"limit_bytes", "gauge", "Bytes that are kept at most.", c.limit},
		{"hits_total", "counter", "Requests that found their file here.", c.counts.hits.Load()},
		{"bucket_reads_total", "counter", "Reads of the bucket.", c.counts.reads.Load()},
		{"bucket_read_bytes_total", "counter", "Bytes that were read of it.", c.counts.readBytes.Load()},
		{"evictions_total", "counter", "Files that made room for others.", c.counts.evicted.Load()},
		{"refused_total", "counter", "Files whose content was not that of their digest.", c.counts.refused.Load()},
	} {
		name := "weights_cache_" + one.name
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n%s %d\n", name, one.help, name, one.kind, name, one.value)
	}
}
