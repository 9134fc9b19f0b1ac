// Command hello-gpu is the function that the region's demonstration serves: it answers each request with one
// line of JSON that names the pod, the node and the GPUs that the device driver gave it.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// answer is what a caller reads.
type answer struct {
	Message string   `json:"message"`
	Pod     string   `json:"pod"`
	Node    string   `json:"node"`
	GPUs    []string `json:"gpus"`
	// UpMilliseconds tells a cold start from a warm call.
	UpMilliseconds int64 `json:"up_ms"`
}

// greeting says all of it in one line; `hello` where no other word is given.
func (a answer) greeting(word string) string {
	gpus := cmp.Or(strings.Join(a.GPUs, ", "), "no GPU")
	return fmt.Sprintf("%s from %s on %s with %s", cmp.Or(word, "hello"), a.Pod, a.Node, gpus)
}

// device matches the variable by which the device driver names one GPU, through CDI.
var device = regexp.MustCompile(`^GPU_DEVICE_[0-9]+$`)

// gpus returns the GPUs that this environment names, sorted.
func gpus(environment []string) []string {
	found := []string{}
	for _, entry := range environment {
		if name, value, ok := strings.Cut(entry, "="); ok && device.MatchString(name) {
			found = append(found, value)
		}
	}
	slices.Sort(found)
	return found
}

func handler(fixed answer, start time.Time, work load) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("POST /grpc.health.v1.Health/Check", health)
	mux.Handle("GET /{$}", work.before(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		now := fixed
		now.UpMilliseconds = time.Since(start).Milliseconds()
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(now); err != nil {
			log.Printf("answer not written: %v", err)
		}
	})))
	return mux
}

func main() {
	start := time.Now()
	if len(os.Args) > 2 && os.Args[1] == "reach" {
		os.Exit(report(reach(os.Args[2:], &http.Client{Timeout: 2 * time.Second}, time.Sleep)))
	}
	work, err := loadOf(os.Getenv)
	if err != nil {
		log.Fatal(err)
	}
	pod, _ := os.Hostname()
	pod = cmp.Or(os.Getenv("POD_NAME"), pod)
	node := cmp.Or(os.Getenv("NODE_NAME"), "unknown")
	own := answer{Pod: pod, Node: node, GPUs: gpus(os.Environ())}
	own.Message = own.greeting(os.Getenv("GREETING"))

	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{
		Addr:              ":" + cmp.Or(os.Getenv("PORT"), "8080"),
		Protocols:         &protocols,
		Handler:           handler(own, start, work),
		ReadHeaderTimeout: 5 * time.Second,
	}
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	select {
	case <-time.After(work.start):
	case <-stop.Done():
		return
	}
	go func() {
		<-stop.Done()
		// What was begun is answered: the gateway has stopped sending by then.
		deadline, done := context.WithTimeout(context.Background(), 5*time.Second)
		defer done()
		_ = server.Shutdown(deadline)
	}()
	log.Printf("listens on %s", server.Addr)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}
