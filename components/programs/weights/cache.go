package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// source is where a cache reads what it does not have.
type source interface {
	size(ctx context.Context, of digest) (int64, error)
	read(ctx context.Context, of digest, from int64) (io.ReadCloser, error)
	what(of digest) string
}

// errTooLarge is a file that the whole cache would not hold.
var errTooLarge = errors.New("larger than the cache")

// errBusy is a cache whose files are all being read.
var errBusy = errors.New("every file of the cache is being read: there is no room just now")

// blob is a file that was verified.
type blob struct {
	size    int64
	used    time.Time
	readers int
}

// flight is one read of the bucket, for all who wait for it.
type flight struct {
	done chan struct{}
	err  error
}

// cache keeps verified files in a folder, up to a size; the one that was not used for longest goes first.
type cache struct {
	ctx    context.Context // of the process: a reader that leaves does not end what others wait for
	folder string
	limit  int64
	source source
	slots  chan struct{} // reads of the bucket at one time
	check  sync.Mutex    // one file at a time is read again to be verified
	lock   *os.File

	mutex   sync.Mutex // guards what follows
	used    int64      // bytes of blobs and parts
	blobs   map[digest]*blob
	parts   map[digest]int64 // bytes that are set aside for what is not whole yet
	flights map[digest]*flight

	counts struct{ hits, reads, readBytes, evicted, refused atomic.Int64 }
}

// openCache takes over a folder with what an earlier process left in it.
func openCache(ctx context.Context, folder string, limit int64, reads int, from source) (*cache, error) {
	c := &cache{ctx: ctx, folder: folder, limit: limit, source: from, slots: make(chan struct{}, reads),
		blobs: map[digest]*blob{}, parts: map[digest]int64{}, flights: map[digest]*flight{}}
	for _, part := range []string{c.blobFolder(), c.partFolder()} {
		if err := os.MkdirAll(part, 0o755); err != nil {
			return nil, err
		}
	}
	if err := c.alone(); err != nil {
		return nil, err
	}
	err := each(c.blobFolder(), func(of digest, about os.FileInfo) {
		c.blobs[of] = &blob{size: about.Size(), used: about.ModTime()}
		c.used += about.Size()
	})
	if err != nil {
		return nil, err
	}
	err = each(c.partFolder(), func(of digest, about os.FileInfo) {
		c.parts[of] = about.Size()
		c.used += about.Size()
	})
	if err != nil {
		return nil, err
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c, c.makeRoom(0) // the limit may be lower than it was
}

// alone refuses a second process on the same folder: each would remove what the other counts.
func (c *cache) alone() error {
	lock, err := os.OpenFile(filepath.Join(c.folder, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("another cache uses %s: %w", c.folder, err)
	}
	c.lock = lock // held as long as the file is open
	return nil
}

func (c *cache) blobFolder() string        { return filepath.Join(c.folder, "verified") }
func (c *cache) partFolder() string        { return filepath.Join(c.folder, "partial") }
func (c *cache) blobPath(of digest) string { return filepath.Join(c.blobFolder(), string(of)) }
func (c *cache) partPath(of digest) string { return filepath.Join(c.partFolder(), string(of)) }
func (c *cache) totals() (files int, used int64) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return len(c.blobs), c.used
}

// open gives a verified file; many who ask for the same one wait for one read of the bucket. The caller closes it.
func (c *cache) open(ctx context.Context, of digest) (*reader, error) {
	for first := true; ; first = false {
		file, wait, err := c.look(of)
		if file != nil || err != nil {
			if first && err == nil {
				c.counts.hits.Add(1)
			}
			return file, err
		}
		select {
		case <-wait.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if wait.err != nil {
			return nil, wait.err
		}
	}
}

// look gives the file, or the flight that brings it.
func (c *cache) look(of digest) (*reader, *flight, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if found := c.blobs[of]; found != nil {
		file, err := os.Open(c.blobPath(of))
		if err == nil {
			found.readers++
			found.used = time.Now()
			// The next process goes by it.
			_ = os.Chtimes(c.blobPath(of), found.used, found.used)
			return &reader{File: file, cache: c, blob: found}, nil, nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			return nil, nil, err
		}
		c.forget(of) // somebody removed it by hand
	}
	wait := c.flights[of]
	if wait == nil {
		wait = &flight{done: make(chan struct{})}
		c.flights[of] = wait
		go c.fly(of, wait)
	}
	return nil, wait, nil
}

func (c *cache) fly(of digest, wait *flight) {
	c.slots <- struct{}{}
	err := c.bring(of)
	<-c.slots
	c.mutex.Lock()
	defer c.mutex.Unlock()
	wait.err = err
	delete(c.flights, of)
	close(wait.done)
}

// reader is a file of the cache that is not removed while it is read.
type reader struct {
	*os.File
	cache *cache
	blob  *blob
}

func (r *reader) Close() error {
	r.cache.mutex.Lock()
	r.blob.readers--
	r.cache.mutex.Unlock()
	return r.File.Close()
}

// each calls for every file of a folder whose name is a digest; others are none of ours.
func each(folder string, call func(of digest, about os.FileInfo)) error {
	found, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, one := range found {
		about, err := one.Info()
		if err != nil {
			return err
		}
		if hexDigest.MatchString(one.Name()) {
			call(digest(one.Name()), about)
		}
	}
	return nil
}
