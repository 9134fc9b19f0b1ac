package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestAPeerThatListensLaterIsReached(t *testing.T) {
	calls := 0
	peer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls++; calls < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer peer.Close()
	if found, all := reach([]string{peer.URL}, peer.Client(), func(time.Duration) {}); !all || found[peer.URL] != "ok" {
		t.Fatalf("found %v", found)
	}
}

func TestAPeerThatIsNotThereIsNamedWithTheError(t *testing.T) {
	peer := httptest.NewServer(http.NotFoundHandler())
	defer peer.Close()
	if found, all := reach([]string{peer.URL}, peer.Client(), func(time.Duration) {}); all || found[peer.URL] != "404 Not Found" {
		t.Fatalf("found %v", found)
	}
}
