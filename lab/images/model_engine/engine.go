package main

import (
	"context"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

const (
	echoNote = "answers are an echo of the prompt"
	// simulatorHeader is on every answer, so that none can be taken for a model's.
	simulatorHeader = "X-Simulator"
)

// engine is one simulated replica.
type engine struct {
	model     string
	started   time.Time
	loaded    time.Time
	tokenTime time.Duration
	slots     chan struct{}
	counts    counts
	requests  atomic.Int64
}

func newEngine(said options, now time.Time) *engine {
	return &engine{
		model:     said.model,
		started:   now,
		loaded:    now.Add(seconds(said.loadSeconds)),
		tokenTime: seconds(said.tokenSeconds),
		slots:     make(chan struct{}, said.concurrency),
	}
}

func seconds(number float64) time.Duration { return time.Duration(number * float64(time.Second)) }

func (e *engine) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", e.metrics)
	mux.HandleFunc("GET /health", e.whenLoaded(func(http.ResponseWriter, *http.Request) error { return nil }))
	mux.HandleFunc("GET /v1/models", e.whenLoaded(e.listModels))
	mux.HandleFunc("GET /v1/models/{model...}", e.whenLoaded(e.showModel))
	mux.HandleFunc("POST /v1/chat/completions", e.whenLoaded(e.chat))
	mux.HandleFunc("POST /v1/completions", e.whenLoaded(e.complete))
	mux.HandleFunc("POST /v1/embeddings", e.whenLoaded(e.embed))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, notFound("path_not_found", "", "there is no "+r.Method+" "+r.URL.Path+" here"))
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(simulatorHeader, "model-engine; "+echoNote)
		mux.ServeHTTP(w, r)
	})
}

// endpoint answers a request, or says why not.
type endpoint func(w http.ResponseWriter, r *http.Request) error

// whenLoaded refuses requests until the load time is over, and says when to come again.
func (e *engine) whenLoaded(next endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if left := time.Until(e.loaded); left > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(left/time.Second)+1))
			fail(w, refusal{status: http.StatusServiceUnavailable, kind: "server_error", code: "model_loading",
				message: "the model " + e.model + " is loading"})
		} else if err := next(w, r); err != nil {
			fail(w, err)
		}
	}
}

// run does the work of one request in a slot; without a free one it waits, in the order of arrival, and is counted
// as waiting. It tells how the work ended.
func (e *engine) run(ctx context.Context, promptTokens int, work func() finish) finish {
	e.counts.waiting.Add(1)
	select {
	case e.slots <- struct{}{}:
		e.counts.waiting.Add(-1)
	case <-ctx.Done():
		e.counts.waiting.Add(-1)
		return e.counts.end(aborted)
	}
	e.counts.running.Add(1)
	defer func() {
		e.counts.running.Add(-1)
		<-e.slots
	}()
	e.counts.promptTokens.Add(int64(promptTokens))
	return e.counts.end(work())
}

// modelCard is the model as /v1/models tells it. `simulated` is not of OpenAI's API: clients ignore it, people read it.
type modelCard struct {
	ID        string `json:"id"`
	Object    string `json:"object"`
	Created   int64  `json:"created"`
	OwnedBy   string `json:"owned_by"`
	Simulated bool   `json:"simulated"`
	Note      string `json:"note"`
}

func (e *engine) card() modelCard {
	return modelCard{ID: e.model, Object: "model", Created: e.started.Unix(), OwnedBy: "model-engine",
		Simulated: true, Note: echoNote}
}

func (e *engine) listModels(w http.ResponseWriter, _ *http.Request) error {
	write(w, http.StatusOK, map[string]any{"object": "list", "data": []modelCard{e.card()}})
	return nil
}

func (e *engine) showModel(w http.ResponseWriter, r *http.Request) error {
	if err := e.knows(r.PathValue("model")); err != nil {
		return err
	}
	write(w, http.StatusOK, e.card())
	return nil
}

// knows refuses any model but the one that is served.
func (e *engine) knows(model string) error {
	switch model {
	case e.model:
		return nil
	case "":
		return missing("model", "the name of a model, such as "+e.model)
	}
	return notFound("model_not_found", "model", "the model "+strconv.Quote(model)+" is not served here; "+e.model+" is")
}
