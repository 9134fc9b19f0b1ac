package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func ask(t *testing.T, http2 bool) *http.Response {
	t.Helper()
	server := httptest.NewUnstartedServer(handler(answer{}, time.Now(), load{}))
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(server.Close)
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetHTTP1(!http2)
	transport.Protocols.SetUnencryptedHTTP2(http2)
	empty := bytes.NewReader([]byte{0, 0, 0, 0, 0})
	got, err := (&http.Client{Transport: transport}).Post(server.URL+"/grpc.health.v1.Health/Check", "application/grpc", empty)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = got.Body.Close() })
	return got
}

func TestTheHealthServiceSaysThatItServesWithItsStatusBehindTheMessage(t *testing.T) {
	got := ask(t, true)
	body, err := io.ReadAll(got.Body)
	if err != nil || !bytes.Equal(body, serving) {
		t.Fatalf("answered %v, %v", body, err)
	}
	if got.ProtoMajor != 2 || got.Header.Get("Content-Type") != "application/grpc" || got.Trailer.Get("Grpc-Status") != "0" {
		t.Fatalf("answered %s with %v and trailers %v", got.Proto, got.Header, got.Trailer)
	}
}

func TestByHTTP1ItIsRefused(t *testing.T) {
	if got := ask(t, false); got.StatusCode != http.StatusHTTPVersionNotSupported {
		t.Fatalf("answered %s", got.Status)
	}
}
