package main

import (
	"io"
	"log"
	"net/http"
)

// serving is a HealthCheckResponse that says so, behind the five bytes that come before each message of gRPC: not
// compressed, two bytes long.
var serving = []byte{0, 0, 0, 0, 2, 0x08, 0x01}

// health is the standard health service of gRPC (grpc.health.v1), the one call that this program answers by gRPC. It is
// asked about the server as a whole: what the request names is not read.
func health(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor < 2 {
		http.Error(w, "gRPC needs HTTP/2", http.StatusHTTPVersionNotSupported)
		return
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return // the caller is gone
	}
	w.Header().Set("Content-Type", "application/grpc")
	w.Header().Set(http.TrailerPrefix+"Grpc-Status", "0")
	if _, err := w.Write(serving); err != nil {
		log.Printf("health not written: %v", err)
	}
}
