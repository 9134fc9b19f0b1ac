package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// shelf is a bucket in memory.
type shelf struct {
	mutex   sync.Mutex
	objects map[digest][]byte
	reads   []int64       // where each read began
	breaks  int           // so many reads break off half-way
	gate    chan struct{} // closed when reads may go on; none where it is nil
}

func shelve(texts ...string) *shelf {
	s := &shelf{objects: map[digest][]byte{}}
	for _, text := range texts {
		s.objects[digestOfText([]byte(text))] = []byte(text)
	}
	return s
}

func (s *shelf) what(of digest) string { return of.key() + " of a shelf" }

func (s *shelf) size(_ context.Context, of digest) (int64, error) {
	if content, here := s.objects[of]; here {
		return int64(len(content)), nil
	}
	return 0, errMissing
}

func (s *shelf) read(_ context.Context, of digest, from int64) (io.ReadCloser, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.reads = append(s.reads, from)
	rest := s.objects[of][from:]
	if s.breaks > 0 {
		s.breaks--
		rest = rest[:len(rest)/2]
	}
	body := io.Reader(bytes.NewReader(rest))
	if s.gate != nil {
		body = io.MultiReader(gated(s.gate), body)
	}
	return io.NopCloser(body), nil
}

// gated is a reader of nothing that takes until the gate is open.
type gated chan struct{}

func (g gated) Read([]byte) (int, error) {
	<-g
	return 0, io.EOF
}

func opened(t *testing.T, folder string, limit int64, from source) *cache {
	t.Helper()
	c, err := openCache(t.Context(), folder, limit, 2, from)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.lock.Close() })
	return c
}

func content(t *testing.T, c *cache, text string) {
	t.Helper()
	file, err := c.open(t.Context(), digestOfText([]byte(text)))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if found, _ := io.ReadAll(file); string(found) != text {
		t.Fatalf("found %q, wanted %q", found, text)
	}
}

func refusal(t *testing.T, c *cache, text string) error {
	t.Helper()
	file, err := c.open(t.Context(), digestOfText([]byte(text)))
	if err == nil {
		file.Close()
		t.Fatalf("%q is served", text)
	}
	return err
}

func TestManyReadersOfOneFileAreOneReadOfTheBucket(t *testing.T) {
	store := shelve("weights")
	store.gate = make(chan struct{})
	c := opened(t, t.TempDir(), 100, store)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { content(t, c, "weights") })
	}
	time.Sleep(20 * time.Millisecond)
	close(store.gate)
	all.Wait()
	content(t, c, "weights")
	if len(store.reads) != 1 {
		t.Fatalf("%d reads", len(store.reads))
	}
}

func TestAReaderThatLeavesDoesNotEndWhatOthersWaitFor(t *testing.T) {
	store := shelve("weights")
	store.gate = make(chan struct{})
	c := opened(t, t.TempDir(), 100, store)
	leaves, leave := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() {
		_, err := c.open(leaves, digestOfText([]byte("weights")))
		gone <- err
	}()
	leave()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	close(store.gate)
	content(t, c, "weights")
	if len(store.reads) > 1 {
		t.Fatalf("%d reads", len(store.reads))
	}
}

func TestAnotherContentIsRefusedAndNamedAndNotKept(t *testing.T) {
	store, of := shelve(), digestOfText([]byte("weights"))
	store.objects[of] = []byte("weighty")
	c := opened(t, t.TempDir(), 100, store)
	err := refusal(t, c, "weights")
	var refused errRefused
	if !errors.As(err, &refused) || !strings.Contains(err.Error(), of.key()) {
		t.Fatal(err)
	}
	if files, used := c.totals(); files != 0 || used != 0 {
		t.Fatalf("%d files, %d bytes are kept", files, used)
	}
	store.objects[of] = []byte("weights") // it is mended
	content(t, c, "weights")
}

func TestWhatTheBucketDoesNotHaveIsMissing(t *testing.T) {
	if err := refusal(t, opened(t, t.TempDir(), 100, shelve()), "weights"); !errors.Is(err, errMissing) {
		t.Fatal(err)
	}
}

func TestWhatWasNotUsedForLongestMakesRoom(t *testing.T) {
	store := shelve("aaaa", "bbbb", "cccc")
	c := opened(t, t.TempDir(), 10, store)
	for _, text := range []string{"aaaa", "bbbb", "aaaa", "cccc", "aaaa", "bbbb"} {
		content(t, c, text)
		if _, used := c.totals(); used > 10 {
			t.Fatalf("%d bytes", used)
		}
	}
	if len(store.reads) != 4 || c.counts.evicted.Load() != 2 {
		t.Fatalf("%d reads, %d removed", len(store.reads), c.counts.evicted.Load())
	}
}

func TestWhatIsReadIsNotRemoved(t *testing.T) {
	c := opened(t, t.TempDir(), 6, shelve("aaaa", "bbbb"))
	file, err := c.open(t.Context(), digestOfText([]byte("aaaa")))
	if err != nil {
		t.Fatal(err)
	}
	if err := refusal(t, c, "bbbb"); !errors.Is(err, errBusy) {
		t.Fatal(err)
	}
	file.Close()
	content(t, c, "bbbb")
}

func TestAFileLargerThanTheCacheIsRefused(t *testing.T) {
	if err := refusal(t, opened(t, t.TempDir(), 3, shelve("aaaa")), "aaaa"); !errors.Is(err, errTooLarge) {
		t.Fatal(err)
	}
}

func TestANewProcessServesWhatTheOneBeforeHad(t *testing.T) {
	folder, store := t.TempDir(), shelve("aaaa", "bbbb")
	first := opened(t, folder, 100, store)
	content(t, first, "aaaa")
	time.Sleep(10 * time.Millisecond)
	content(t, first, "bbbb")
	if _, err := openCache(t.Context(), folder, 100, 2, store); err == nil {
		t.Fatal("two use one folder")
	}
	first.lock.Close()
	second := opened(t, folder, 5, store) // and its limit is lower: the older one goes
	content(t, second, "bbbb")
	if files, _ := second.totals(); len(store.reads) != 2 || files != 1 {
		t.Fatalf("%d reads, %d files", len(store.reads), files)
	}
}

func TestAReadGoesOnWhereItBroke(t *testing.T) {
	store := shelve("weights!")
	store.breaks = 1
	content(t, opened(t, t.TempDir(), 100, store), "weights!")
	if len(store.reads) != 2 || store.reads[1] != 4 {
		t.Fatalf("reads from %v", store.reads)
	}
}

func TestANewProcessGoesOnWithWhatIsHalfThere(t *testing.T) {
	for left, began := range map[string]int64{"weig": 4, "": 0, "weights and more": 0} {
		folder, store := t.TempDir(), shelve("weights!")
		leave(t, folder, left)
		content(t, opened(t, folder, 100, store), "weights!")
		if len(store.reads) != 1 || store.reads[0] != began {
			t.Errorf("%q: reads from %v", left, store.reads)
		}
	}
}

func TestTheBucketIsNotBlamedForADamagedPart(t *testing.T) {
	folder, store := t.TempDir(), shelve("weights!")
	leave(t, folder, "wrng")
	content(t, opened(t, folder, 100, store), "weights!")
	if len(store.reads) != 2 || store.reads[1] != 0 {
		t.Fatalf("reads from %v", store.reads)
	}
}

func TestPartsThatNobodyAsksForMakeRoom(t *testing.T) {
	folder := t.TempDir()
	leave(t, folder, "weig")
	c := opened(t, folder, 6, shelve("aaaa"))
	content(t, c, "aaaa")
	if _, used := c.totals(); used != 4 {
		t.Fatalf("%d bytes", used)
	}
}

func TestAFileThatTheDiskDamagedIsReadAgainOnceAReaderSaysSo(t *testing.T) {
	folder, store := t.TempDir(), shelve("weights")
	c, of := opened(t, folder, 100, store), digestOfText([]byte("weights"))
	content(t, c, "weights")
	if err := os.WriteFile(c.blobPath(of), []byte("weighty"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := c.verify(t.Context(), of); err != nil {
		t.Fatal(err)
	}
	content(t, c, "weights")
	if err := c.verify(t.Context(), of); err != nil || len(store.reads) != 2 {
		t.Fatalf("%v, %d reads", err, len(store.reads))
	}
}

// leave writes what a process that was killed half-way left of "weights!".
func leave(t *testing.T, folder, text string) {
	t.Helper()
	part := filepath.Join(folder, "partial")
	if err := os.MkdirAll(part, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(part, string(digestOfText([]byte("weights!")))), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
