package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"log"
	"os"
	"time"
)

// attempts bounds how often one file is read on where the bucket broke off.
const attempts = 4

// errRefused is what the bucket holds under a digest that it does not have.
type errRefused struct {
	what string
	held digest
}

func (e errRefused) Error() string {
	return fmt.Sprintf("%s is refused: its content is %s", e.what, e.held)
}

// bring reads a file out of the bucket, verifies it and puts it among the others.
func (c *cache) bring(of digest) error {
	began := time.Now()
	size, err := c.source.size(c.ctx, of)
	if err != nil {
		return fmt.Errorf("%s: %w", c.source.what(of), err)
	}
	if err := c.reserve(of, size); err != nil {
		return fmt.Errorf("%s, %d bytes: %w", c.source.what(of), size, err)
	}
	if err := c.download(of, size); err != nil {
		if c.ctx.Err() == nil { // else the next process goes on with it
			c.giveUp(of)
		}
		return err
	}
	if err := c.settle(of, size); err != nil {
		return err
	}
	log.Printf("%s: %d bytes, verified, in %.1f s", of, size, time.Since(began).Seconds())
	return nil
}

// download fills the part up to its size; it goes on where the connection broke, and where an earlier process ended.
func (c *cache) download(of digest, size int64) error {
	part, err := os.OpenFile(c.partPath(of), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer part.Close()
	sum := sha256.New()
	have, err := io.Copy(sum, part)
	if err == nil && have > size {
		have, err = 0, restart(part, sum)
	}
	began := have
	for try := 1; err == nil && have < size; try++ {
		var more int64
		more, err = c.readOn(part, sum, of, have, size)
		have += more
		if err != nil && try < attempts && c.ctx.Err() == nil && !errors.Is(err, errMissing) {
			log.Printf("%s: read on after %d of %d bytes: %v", of, have, size, err)
			err = pause(c.ctx, time.Second)
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", c.source.what(of), err)
	}
	held := digestOf(sum)
	if held != of && began > 0 { // perhaps what an earlier process left was damaged, and not the bucket
		if err := restart(part, sum); err != nil {
			return err
		}
		return c.download(of, size)
	}
	if held != of {
		c.counts.refused.Add(1)
		return errRefused{what: c.source.what(of), held: held}
	}
	return part.Sync()
}

// readOn reads the rest once.
func (c *cache) readOn(part io.Writer, sum hash.Hash, of digest, have, size int64) (int64, error) {
	c.counts.reads.Add(1)
	body, err := c.source.read(c.ctx, of, have)
	if err != nil {
		return 0, err
	}
	defer body.Close()
	more, err := io.Copy(io.MultiWriter(part, sum), io.LimitReader(body, size-have))
	c.counts.readBytes.Add(more)
	if err == nil && have+more < size {
		err = io.ErrUnexpectedEOF
	}
	return more, err
}

// reserve sets bytes aside for a file before it is read.
func (c *cache) reserve(of digest, size int64) error {
	if size > c.limit {
		return fmt.Errorf("%w, which has %d bytes", errTooLarge, c.limit)
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	more := size - c.parts[of]
	if err := c.makeRoom(more); err != nil {
		return err
	}
	c.parts[of] = size
	c.used += more
	return nil
}

// makeRoom removes what was not used for longest, until so many bytes more fit. What is being read stays. The mutex
// is held.
func (c *cache) makeRoom(more int64) error {
	for of := range c.parts {
		if c.used+more > c.limit && c.flights[of] == nil {
			c.used -= c.parts[of]
			delete(c.parts, of)
			_ = os.Remove(c.partPath(of))
		}
	}
	for c.used+more > c.limit {
		var oldest digest
		for of, each := range c.blobs {
			if each.readers == 0 && (oldest == "" || each.used.Before(c.blobs[oldest].used)) {
				oldest = of
			}
		}
		if oldest == "" {
			return errBusy
		}
		log.Printf("%s: removed, not used since %s", oldest, c.blobs[oldest].used.UTC().Format(time.RFC3339))
		c.counts.evicted.Add(1)
		c.forget(oldest)
	}
	return nil
}

// forget removes a file; the mutex is held.
func (c *cache) forget(of digest) {
	c.used -= c.blobs[of].size
	delete(c.blobs, of)
	_ = os.Remove(c.blobPath(of))
}

func (c *cache) giveUp(of digest) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.used -= c.parts[of]
	delete(c.parts, of)
	_ = os.Remove(c.partPath(of))
}

// settle makes a whole part one of the files that are served.
func (c *cache) settle(of digest, size int64) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if err := os.Rename(c.partPath(of), c.blobPath(of)); err != nil {
		return err
	}
	delete(c.parts, of)
	c.blobs[of] = &blob{size: size, used: time.Now()}
	return nil
}

// verify reads a file that is here again, and removes it if it is not what it was: a disk may err.
func (c *cache) verify(ctx context.Context, of digest) error {
	c.check.Lock()
	defer c.check.Unlock()
	c.mutex.Lock()
	_, here := c.blobs[of]
	c.mutex.Unlock()
	if !here || ctx.Err() != nil {
		return ctx.Err()
	}
	held, _, err := digestOfFile(c.blobPath(of))
	if err != nil || held == of {
		return err
	}
	log.Printf("%s: the file on this disk is %s, it is removed", of, held)
	c.counts.refused.Add(1)
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.blobs[of] != nil {
		c.forget(of)
	}
	return nil
}

func restart(file *os.File, sum hash.Hash) error {
	sum.Reset()
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err := file.Seek(0, io.SeekStart)
	return err
}

// pause waits, unless the time is over before.
func pause(ctx context.Context, length time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(length):
		return nil
	}
}
