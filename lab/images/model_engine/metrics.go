package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
)

// counts is what /metrics tells.
type counts struct {
	running, waiting               atomic.Int64
	promptTokens, generationTokens atomic.Int64
	ended                          [len(finishes)]atomic.Int64
}

// end counts how a request ended.
func (c *counts) end(how finish) finish {
	c.ended[slices.Index(finishes[:], how)].Add(1)
	return how
}

// labelled escapes a value as Prometheus' text format wants it.
var labelled = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// metrics tells the counts under the names that vLLM gives them, which is what the region's metering reads.
func (e *engine) metrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	of := fmt.Sprintf(`engine="0",model_name="%s"`, labelled.Replace(e.model))
	series := func(name, kind, help string) {
		fmt.Fprintf(w, "# HELP %s %s (simulated)\n# TYPE %s %s\n", name, help, name, kind)
	}
	for _, one := range []struct {
		name, kind, help string
		value            *atomic.Int64
	}{
		{"vllm:num_requests_running", "gauge", "Requests that are answered now.", &e.counts.running},
		{"vllm:num_requests_waiting", "gauge", "Requests that wait for their turn.", &e.counts.waiting},
		{"vllm:prompt_tokens_total", "counter", "Tokens that were read.", &e.counts.promptTokens},
		{"vllm:generation_tokens_total", "counter", "Tokens that were written.", &e.counts.generationTokens},
	} {
		series(one.name, one.kind, one.help)
		fmt.Fprintf(w, "%s{%s} %d\n", one.name, of, one.value.Load())
	}
	const ended = "vllm:request_success_total"
	series(ended, "counter", "Requests that ended, by the reason.")
	for at, reason := range finishes {
		fmt.Fprintf(w, "%s{%s,finished_reason=%q} %d\n", ended, of, reason, e.counts.ended[at].Load())
	}
}
