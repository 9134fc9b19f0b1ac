package main

import (
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// load makes the function behave like a program that does real work, for tests and benchmarks. All of it is off
// unless its variable is set.
type load struct {
	// start is how long the program loads before its port opens, as a model server does: START_TAKES.
	start time.Duration
	// answer is how long the work of one request takes: ANSWER_TAKES.
	answer time.Duration
	// slots are the requests that are worked on at one time, others wait; nil for any number: ANSWERS_AT_ONCE.
	slots chan struct{}
	// failing is the number of requests of which the last fails, as a bad version's do; 0 for none: FAILS_ONE_IN.
	failing int64
	seen    *atomic.Int64
}

// loadOf reads the variables. What cannot be read is an error, never a default.
func loadOf(get func(string) string) (load, error) {
	found := load{seen: new(atomic.Int64)}
	for name, target := range map[string]*time.Duration{"START_TAKES": &found.start, "ANSWER_TAKES": &found.answer} {
		if text := get(name); text != "" {
			value, err := time.ParseDuration(text)
			if err != nil || value < 0 {
				return load{}, fmt.Errorf("%s is a time such as 30s or 200ms, not %q", name, text)
			}
			*target = value
		}
	}
	counts := map[string]int{}
	for _, name := range []string{"ANSWERS_AT_ONCE", "FAILS_ONE_IN"} {
		if text := get(name); text != "" {
			count, err := strconv.Atoi(text)
			if err != nil || count < 1 {
				return load{}, fmt.Errorf("%s is a count of at least 1, not %q", name, text)
			}
			counts[name] = count
		}
	}
	if count := counts["ANSWERS_AT_ONCE"]; count > 0 {
		found.slots = make(chan struct{}, count)
	}
	found.failing = int64(counts["FAILS_ONE_IN"])
	return found, nil
}

// before does the work of each request before it is answered. A caller that goes away gives its slot back.
func (l load) before(next http.Handler) http.Handler {
	if l.answer == 0 && l.slots == nil && l.failing == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if l.slots != nil {
			select {
			case l.slots <- struct{}{}:
				defer func() { <-l.slots }()
			case <-r.Context().Done():
				return
			}
		}
		select {
		case <-time.After(l.answer):
			if l.failing > 0 && l.seen.Add(1)%l.failing == 0 {
				http.Error(w, "this version fails", http.StatusInternalServerError)
				return
			}
			next.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	})
}
