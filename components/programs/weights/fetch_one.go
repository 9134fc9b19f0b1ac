package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"
)

// errFinal is what no other cache and no later try would mend.
type errFinal struct{ error }

// one brings a file into the draft and verifies it. Caches are asked in their order, again until the patience is over.
func (f *fetcher) one(ctx context.Context, file entry, draft string) error {
	until := time.Now().Add(f.patience)
	wait, anew := 250*time.Millisecond, false
	for {
		var err error
		for _, cache := range f.caches {
			if err = f.from(ctx, cache, file, draft, anew); err == nil {
				return nil
			}
			var final errFinal
			if errors.As(err, &final) {
				return fmt.Errorf("%s: %w", file.Path, final.error)
			}
			var other errOther
			anew = anew || errors.As(err, &other)
			log.Printf("%s: %v", file.Path, err)
		}
		if time.Now().Add(wait).After(until) {
			return fmt.Errorf("%s: not fetched in %s: %w", file.Path, f.patience, err)
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
		wait = min(2*wait, 5*time.Second)
	}
}

// errOther is a file that a cache gave and that is another.
type errOther struct{ cache, held string }

func (e errOther) Error() string {
	return fmt.Sprintf("refused: %s gave another content, %s", e.cache, e.held)
}

// from asks one cache once, for what the draft does not have yet.
func (f *fetcher) from(ctx context.Context, cache string, file entry, draft string, anew bool) error {
	out, err := os.OpenFile(draft, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return errFinal{err}
	}
	defer out.Close()
	sum := sha256.New()
	have, err := io.Copy(sum, out)
	if err != nil {
		return errFinal{err}
	}
	if have == 0 || have != file.Size {
		answer, err := f.ask(ctx, cache, file.SHA256, have, anew)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusPartialContent {
			if err := restart(out, sum); err != nil {
				return errFinal{err}
			}
		}
		if err := copyAll(io.MultiWriter(out, sum), answer.Body); err != nil {
			return err
		}
	}
	if held := digestOf(sum); held != file.SHA256 {
		if err := restart(out, sum); err != nil {
			return errFinal{err}
		}
		if anew {
			return errFinal{errOther{cache: cache, held: held.String()}}
		}
		return errOther{cache: cache, held: held.String()}
	}
	return nil
}

// copyAll tells an error of the disk, which ends it, from one of the line, after which is gone on.
func copyAll(into io.Writer, from io.Reader) error {
	written := &writer{into: into}
	_, err := io.Copy(written, from)
	if written.err != nil {
		return errFinal{written.err}
	}
	return err
}

type writer struct {
	into io.Writer
	err  error
}

func (w *writer) Write(part []byte) (int, error) {
	n, err := w.into.Write(part)
	w.err = err
	return n, err
}

// ask opens the answer of a cache: the file from a byte on, or all of it.
func (f *fetcher) ask(ctx context.Context, cache string, of digest, from int64, anew bool) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, cache+"/"+of.key(), nil)
	if err != nil {
		return nil, errFinal{err}
	}
	if from > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
	}
	if anew {
		request.Header.Set("Cache-Control", "no-cache")
	}
	answer, err := f.web.Do(request)
	if err != nil {
		return nil, err
	}
	switch answer.StatusCode {
	case http.StatusOK, http.StatusPartialContent:
		return answer, nil
	case http.StatusRequestedRangeNotSatisfiable:
		// The draft is longer than the file: it is begun anew.
		answer.Body.Close()
		return f.ask(ctx, cache, of, 0, anew)
	}
	defer answer.Body.Close()
	var said failure
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<16))
	if json.Unmarshal(text, &said) != nil || said.Message == "" {
		said.Message = answer.Status
	}
	err = fmt.Errorf("%s says %s: %s", cache, said.Code, said.Message)
	if said.Code != "" && said.Code != codeUnavailable {
		return nil, errFinal{err}
	}
	return nil, err
}
