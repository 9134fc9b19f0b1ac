package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// finish is why an answer ended, in the words of OpenAI's API and of vLLM's metrics.
type finish string

const (
	stopped finish = "stop"
	cut     finish = "length"
	aborted finish = "abort"
)

var finishes = [...]finish{stopped, cut, aborted}

type message struct {
	Role    string `json:"role,omitempty"`
	Content string `json:"content"`
}

type choice struct {
	Index        int      `json:"index"`
	Message      *message `json:"message,omitempty"`
	Delta        any      `json:"delta,omitempty"`
	Text         *string  `json:"text,omitempty"`
	Logprobs     any      `json:"logprobs"`
	FinishReason *finish  `json:"finish_reason"`
}

type usage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
	TotalTokens      int `json:"total_tokens"`
}

type reply struct {
	ID          string   `json:"id"`
	Object      string   `json:"object"`
	Created     int64    `json:"created"`
	Model       string   `json:"model"`
	Fingerprint string   `json:"system_fingerprint"`
	Choices     []choice `json:"choices"`
	Usage       any      `json:"usage,omitempty"`
}

// form is how an endpoint says the same thing.
type form struct {
	id, whole, piece string
	all              func(text string) choice
	begin            []choice // of a stream, before its first token
	part             func(text string) choice
	end              choice
}

var (
	chatForm = form{
		id: "chatcmpl", whole: "chat.completion", piece: "chat.completion.chunk",
		all:   func(text string) choice { return choice{Message: &message{Role: "assistant", Content: text}} },
		begin: []choice{{Delta: message{Role: "assistant"}}},
		part:  func(text string) choice { return choice{Delta: message{Content: text}} },
		end:   choice{Delta: struct{}{}},
	}
	textForm = form{
		id: "cmpl", whole: "text_completion", piece: "text_completion",
		all:  func(text string) choice { return choice{Text: &text} },
		part: func(text string) choice { return choice{Text: &text} },
		end:  choice{Text: new("")},
	}
)

// answer does a job in its turn, as one answer or as a stream.
func (e *engine) answer(w http.ResponseWriter, r *http.Request, asked job, as form) {
	head := reply{
		ID:      fmt.Sprintf("%s-simulated-%d", as.id, e.requests.Add(1)),
		Object:  as.whole,
		Created: time.Now().Unix(), Model: e.model, Fingerprint: "simulator",
	}
	used := usage{asked.prompt, len(asked.answer), asked.prompt + len(asked.answer)}
	e.run(r.Context(), asked.prompt, func() finish {
		if asked.stream {
			head.Object = as.piece
			return e.stream(w, r, asked, as, head, used)
		}
		for range asked.answer {
			if !e.speak(r.Context()) {
				return aborted
			}
		}
		head.Choices, head.Usage = []choice{as.all(strings.Join(asked.answer, ""))}, used
		head.Choices[0].FinishReason = &asked.finish
		write(w, http.StatusOK, head)
		return asked.finish
	})
}

// stream sends each token as an event of its own, when it is there.
func (e *engine) stream(w http.ResponseWriter, r *http.Request, asked job, as form, head reply, used usage) finish {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	if asked.usage {
		head.Usage = json.RawMessage("null") // until the last event, as OpenAI's API has it
	}
	send := func(choices ...choice) bool {
		head.Choices = append([]choice{}, choices...) // never null
		said, _ := json.Marshal(head)
		return event(w, said)
	}
	whole := as.begin == nil || send(as.begin...)
	for at := 0; whole && at < len(asked.answer); at++ {
		whole = e.speak(r.Context()) && send(as.part(asked.answer[at]))
	}
	last := as.end
	last.FinishReason = &asked.finish
	whole = whole && send(last)
	if asked.usage {
		head.Usage = used
		whole = whole && send()
	}
	if !whole || !event(w, []byte("[DONE]")) {
		return aborted
	}
	return asked.finish
}

// event writes one event of a stream; false once the client is gone.
func event(w http.ResponseWriter, data []byte) bool {
	if _, err := fmt.Fprintf(w, "data: %s\n\n", data); err != nil {
		return false
	}
	return http.NewResponseController(w).Flush() == nil
}

// speak takes the time of one token and counts it; false once the client is gone.
func (e *engine) speak(ctx context.Context) bool {
	select {
	case <-time.After(e.tokenTime):
		e.counts.generationTokens.Add(1)
		return true
	case <-ctx.Done():
		return false
	}
}
