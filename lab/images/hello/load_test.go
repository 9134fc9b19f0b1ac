package main

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"
)

func variables(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestWithoutVariablesNothingIsSlower(t *testing.T) {
	found, err := loadOf(variables(nil))
	if err != nil || found.start != 0 || found.answer != 0 || found.slots != nil {
		t.Fatalf("found %+v, %v", found, err)
	}
}

func TestWhatCannotBeReadIsRefused(t *testing.T) {
	for name, text := range map[string]string{"START_TAKES": "30", "ANSWER_TAKES": "-1s", "ANSWERS_AT_ONCE": "0", "FAILS_ONE_IN": "half"} {
		if _, err := loadOf(variables(map[string]string{name: text})); err == nil {
			t.Errorf("%s=%s was taken", name, text)
		}
	}
}

func TestRequestsBeyondTheSlotsWait(t *testing.T) {
	found, err := loadOf(variables(map[string]string{"ANSWER_TAKES": "50ms", "ANSWERS_AT_ONCE": "2"}))
	if err != nil {
		t.Fatal(err)
	}
	peer := httptest.NewServer(found.before(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	defer peer.Close()
	began := time.Now()
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			if answer, err := peer.Client().Get(peer.URL); err == nil {
				_ = answer.Body.Close()
			} else {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if took := time.Since(began); took < 150*time.Millisecond {
		t.Fatalf("six requests of 50 ms, two at once, took %v", took)
	}
}

func TestAFailingVersionFailsOneRequestInSoMany(t *testing.T) {
	found, err := loadOf(variables(map[string]string{"FAILS_ONE_IN": "3"}))
	if err != nil {
		t.Fatal(err)
	}
	handler, codes := found.before(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})), []int{}
	for range 6 {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/", nil))
		codes = append(codes, answer.Code)
	}
	if want := []int{200, 200, 500, 200, 200, 500}; !slices.Equal(codes, want) {
		t.Fatalf("answered %v, not %v", codes, want)
	}
}
