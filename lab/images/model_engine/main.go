// Command model-engine is a simulator: it stands in for the GPUs and the weights of a model engine, behind the real
// protocol, so that the way of a request can be tried where there is neither. It speaks OpenAI's API as vLLM does,
// takes time to load, answers so many requests at one time, and tells about itself in vLLM's metrics. What it
// answers is an echo of the prompt, and every answer says so.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// drainTime bounds how long requests that were begun may go on after SIGTERM. It is what Kubernetes gives a pod
// that names no time of its own; one that gets less is ended by the kubelet.
const drainTime = 30 * time.Second

// options is what the command line says.
type options struct {
	model        string
	port         int
	loadSeconds  float64
	concurrency  int
	tokenSeconds float64
	weights      string
	manifest     string
}

// parse reads the command line; what is wrong with it is told with what is allowed.
func parse(arguments []string, output io.Writer) (options, error) {
	var found options
	flags := flag.NewFlagSet("model-engine", flag.ContinueOnError)
	flags.SetOutput(output)
	flags.StringVar(&found.model, "model", "", "name that requests call the model by (required)")
	flags.IntVar(&found.port, "port", 8000, "port to listen on")
	flags.Float64Var(&found.loadSeconds, "load-seconds", 0, "seconds that loading the weights seems to take")
	flags.IntVar(&found.concurrency, "concurrency", 4, "requests that run at one time; others wait")
	// 50 tokens a second: a choice of this project, so that a stream is seen to stream. No engine was measured.
	flags.Float64Var(&found.tokenSeconds, "token-seconds", 0.02, "seconds that each token of an answer takes")
	flags.StringVar(&found.weights, "weights", "", "folder with the weights; none are looked at unless given")
	flags.StringVar(&found.manifest, "weights-manifest", os.Getenv("WEIGHTS_MANIFEST"),
		"digest of the manifest that the weights are held to; by default the variable WEIGHTS_MANIFEST")
	if err := flags.Parse(arguments); err != nil {
		return found, err
	}
	for _, rule := range []struct {
		holds bool
		says  string
	}{
		{flags.NArg() == 0, "arguments are flags only, found " + flags.Arg(0)},
		{found.model != "", "--model is missing: the name that requests call the model by"},
		{found.port >= 1 && found.port <= 65535, fmt.Sprintf("--port %d: allowed are 1 to 65535", found.port)},
		{found.loadSeconds >= 0, fmt.Sprintf("--load-seconds %g: allowed is 0 or more", found.loadSeconds)},
		{found.concurrency >= 1, fmt.Sprintf("--concurrency %d: allowed is 1 or more", found.concurrency)},
		{found.weights == "" || found.manifest != "", "--weights without the digest of their manifest"},
		{found.tokenSeconds >= 0, fmt.Sprintf("--token-seconds %g: allowed is 0 or more", found.tokenSeconds)},
	} {
		if !rule.holds {
			return found, errors.New(rule.says)
		}
	}
	return found, nil
}

// serve answers until stop, then finishes what was begun; it tells whether all of that was finished.
func serve(stop context.Context, listener net.Listener, server *http.Server) error {
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-stop.Done():
	}
	log.Printf("stopping: no new requests, those that were begun go on for %s at most", drainTime)
	deadline, done := context.WithTimeout(context.Background(), drainTime)
	defer done()
	if err := server.Shutdown(deadline); err != nil {
		return fmt.Errorf("requests were cut off: %w", err)
	}
	return nil
}

func main() {
	log.SetFlags(log.LstdFlags | log.LUTC)
	said, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(0)
	} else if err != nil {
		fmt.Fprintf(os.Stderr, "model-engine: %v\n", err)
		os.Exit(2)
	}
	log.Printf("SIMULATOR of a model engine, not a model: %s", echoNote)
	log.Printf("model %s on port %d, ready in %g s, %d requests at one time, %g s a token",
		said.model, said.port, said.loadSeconds, said.concurrency, said.tokenSeconds)
	if said.weights != "" {
		size, err := verifyWeights(said.weights, said.manifest)
		if err != nil {
			log.Fatalf("the weights in %s are not %s: %v", said.weights, said.manifest, err)
		}
		log.Printf("the weights in %s are %s: %d bytes, verified", said.weights, said.manifest, size)
	}
	listener, err := net.Listen("tcp", fmt.Sprintf(":%d", said.port))
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{
		Handler:           newEngine(said, time.Now()).handler(),
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	if err := serve(stop, listener, server); err != nil {
		log.Fatal(err)
	}
	log.Print("stopped: every request was answered")
}
