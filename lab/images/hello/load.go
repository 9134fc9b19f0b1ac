package main

import (
	"fmt"
	"net/http"
	"strconv"
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
}

// loadOf reads the variables. What cannot be read is an error, never a default.
func loadOf(get func(string) string) (load, error) {
	var found load
	for name, target := range map[string]*time.Duration{"START_TAKES": &found.start, "ANSWER_TAKES": &found.answer} {
		if text := get(name); text != "" {
			value, err := time.ParseDuration(text)
			if err != nil || value < 0 {
				return load{}, fmt.Errorf("%s is a time such as 30s or 200ms, not %q", name, text)
			}
			*target = value
		}
	}
	if text := get("ANSWERS_AT_ONCE"); text != "" {
		count, err := strconv.Atoi(text)
		if err != nil || count < 1 {
			return load{}, fmt.Errorf("ANSWERS_AT_ONCE is a count of at least 1, not %q", text)
		}
		found.slots = make(chan struct{}, count)
	}
	return found, nil
}

// before does the work of each request before it is answered. A caller that goes away gives its slot back.
func (l load) before(next http.Handler) http.Handler {
	if l.answer == 0 && l.slots == nil {
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
			next.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	})
}
