package main

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// quick is an engine that is loaded and takes no time.
func quick() *engine { return newEngine(options{model: "lab-echo", concurrency: 2}, time.Now()) }

func ask(e *engine, method, path, body string) *httptest.ResponseRecorder {
	found := httptest.NewRecorder()
	e.handler().ServeHTTP(found, httptest.NewRequest(method, path, strings.NewReader(body)))
	return found
}

func told[T any](t *testing.T, answer *httptest.ResponseRecorder) T {
	t.Helper()
	var found T
	if err := json.Unmarshal(answer.Body.Bytes(), &found); err != nil {
		t.Fatalf("%v: %s", err, answer.Body)
	}
	return found
}

func TestEveryAnswerSaysThatItIsASimulators(t *testing.T) {
	for _, path := range []string{"/health", "/metrics", "/v1/models", "/nothing"} {
		if said := ask(quick(), "GET", path, "").Header().Get("X-Simulator"); !strings.Contains(said, "echo") {
			t.Errorf("%s: %q", path, said)
		}
	}
	list := told[struct{ Data []modelCard }](t, ask(quick(), "GET", "/v1/models", ""))
	if len(list.Data) != 1 || list.Data[0].ID != "lab-echo" || !list.Data[0].Simulated {
		t.Fatalf("found %+v", list)
	}
}

func TestNothingButMetricsIsAnsweredUntilTheLoadTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(options{model: "lab-echo", concurrency: 1, loadSeconds: 2.5}, time.Now())
		for _, path := range []string{"/health", "/v1/models"} {
			early := ask(e, "GET", path, "")
			if early.Code != 503 || early.Header().Get("Retry-After") != "3" {
				t.Fatalf("%s: %d %v", path, early.Code, early.Header())
			}
		}
		if code := ask(e, "GET", "/metrics", "").Code; code != 200 {
			t.Fatalf("metrics: %d", code)
		}
		time.Sleep(2500 * time.Millisecond)
		if code := ask(e, "GET", "/health", "").Code; code != 200 {
			t.Fatalf("health once loaded: %d", code)
		}
	})
}

func TestAChatEchoesTheLastMessageOfTheUser(t *testing.T) {
	answer := ask(quick(), "POST", "/v1/chat/completions", `{"model": "lab-echo", "messages": [
		{"role": "system", "content": "be brief"},
		{"role": "user", "content": [{"type": "text", "text": "good  day"}]},
		{"role": "assistant", "content": null}]}`)
	found := told[reply](t, answer)
	text := found.Choices[0].Message.Content
	if text != "[lab-echo is a simulator, this is an echo] good  day" || *found.Choices[0].FinishReason != stopped {
		t.Fatalf("found %s", answer.Body)
	}
	used := told[struct{ Usage usage }](t, answer).Usage
	if used != (usage{PromptTokens: 4, CompletionTokens: 10, TotalTokens: 14}) {
		t.Fatalf("found %+v", used)
	}
}

func TestAnAnswerEndsAtTheTokensThatAreAllowed(t *testing.T) {
	answer := ask(quick(), "POST", "/v1/completions", `{"model": "lab-echo", "prompt": "a b c", "max_tokens": 2}`)
	found := told[reply](t, answer).Choices[0]
	if *found.Text != "[lab-echo is " || *found.FinishReason != cut {
		t.Fatalf("found %s", answer.Body)
	}
}

// events of a stream, without their frame.
func events(t *testing.T, answer *httptest.ResponseRecorder) []string {
	t.Helper()
	var found []string
	for line := range strings.SplitSeq(strings.TrimSuffix(answer.Body.String(), "\n\n"), "\n\n") {
		data, ok := strings.CutPrefix(line, "data: ")
		if !ok {
			t.Fatalf("no event: %q", line)
		}
		found = append(found, data)
	}
	return found
}

func TestAStreamIsTheAnswerInPiecesThenTheUsageThenDone(t *testing.T) {
	for path, question := range map[string]string{
		"/v1/chat/completions": `"messages": [{"role": "user", "content": "one two"}]`,
		"/v1/completions":      `"prompt": ["one two"]`,
	} {
		answer := ask(quick(), "POST", path, `{"model": "lab-echo", "stream": true, "stream_options": {"include_usage": true}, `+question+`}`)
		found := events(t, answer)
		var text strings.Builder
		var ends []string
		for _, event := range found[:len(found)-2] {
			var piece struct {
				Choices []struct {
					Text         string
					Delta        message
					FinishReason string `json:"finish_reason"`
				}
				Usage *usage
			}
			if err := json.Unmarshal([]byte(event), &piece); err != nil || piece.Usage != nil || !strings.Contains(event, `"usage":null`) {
				t.Fatalf("%s: %v: %s", path, err, event)
			}
			text.WriteString(piece.Choices[0].Text + piece.Choices[0].Delta.Content)
			ends = append(ends, piece.Choices[0].FinishReason)
		}
		if text.String() != "[lab-echo is a simulator, this is an echo] one two" || slices.Index(ends, "stop") != len(ends)-1 {
			t.Fatalf("%s: %q, ends %q", path, text.String(), ends)
		}
		last := found[len(found)-2]
		if !strings.Contains(last, `"choices":[]`) || !strings.Contains(last, `"completion_tokens":10`) || found[len(found)-1] != "[DONE]" {
			t.Fatalf("%s: %q", path, found[len(found)-2:])
		}
	}
}

func TestAStreamWithoutOptionsHasNoUsage(t *testing.T) {
	answer := ask(quick(), "POST", "/v1/completions", `{"model": "lab-echo", "prompt": "x", "stream": true}`)
	if strings.Contains(answer.Body.String(), "usage") {
		t.Fatalf("found %s", answer.Body)
	}
}

func TestWhatCannotBeAnsweredIsRefusedInTheShapeOfOpenAI(t *testing.T) {
	const chat, text, vectors = "/v1/chat/completions", "/v1/completions", "/v1/embeddings"
	for _, row := range []struct {
		path, body  string
		status      int
		param, code string
	}{
		{chat, `{`, 400, "", ""},
		{chat, `[]`, 400, "", ""},
		{chat, `{"messages": [{"role": "user", "content": "x"}]}`, 400, "model", ""},
		{chat, `{"model": "gpt", "messages": [{"role": "user", "content": "x"}]}`, 404, "model", "model_not_found"},
		{chat, `{"model": "lab-echo"}`, 400, "messages", ""},
		{chat, `{"model": "lab-echo", "messages": "x"}`, 400, "messages", ""},
		{chat, `{"model": "lab-echo", "messages": [{"content": "x"}]}`, 400, "messages[0].role", ""},
		{chat, `{"model": "lab-echo", "messages": [{"role": "user", "content": 7}]}`, 400, "messages[0].content", ""},
		{chat, `{"model": "lab-echo", "messages": [{"role": "user", "content": [{"type": "image_url"}]}]}`, 400, "messages[0].content", ""},
		{text, `{"model": "lab-echo"}`, 400, "prompt", ""},
		{text, `{"model": "lab-echo", "prompt": [1, 2]}`, 400, "prompt", ""},
		{text, `{"model": "lab-echo", "prompt": ["a", "b"]}`, 400, "prompt", ""},
		{text, `{"model": "lab-echo", "prompt": "x", "max_tokens": 0}`, 400, "max_tokens", ""},
		{text, `{"model": "lab-echo", "prompt": "x", "n": 2}`, 400, "n", ""},
		{text, `{"model": "lab-echo", "prompt": "x", "stream_options": {}}`, 400, "stream_options", ""},
		{text, `{"model": "lab-echo", "prompt": "` + strings.Repeat("x", bodyLimit) + `"}`, 413, "", "request_too_large"},
		{vectors, `{"model": "lab-echo"}`, 400, "input", ""},
		{vectors, `{"model": "lab-echo", "input": []}`, 400, "input", ""},
		{vectors, `{"model": "lab-echo", "input": "x", "encoding_format": "hex"}`, 400, "encoding_format", ""},
		{vectors, `{"model": "lab-echo", "input": "x", "dimensions": 0}`, 400, "dimensions", ""},
		{"/v1/nothing", `{}`, 404, "", "path_not_found"},
	} {
		answer := ask(quick(), "POST", row.path, row.body)
		found := told[struct {
			Error struct{ Message, Type, Param, Code string }
		}](t, answer).Error
		if answer.Code != row.status || found.Type != "invalid_request_error" || found.Message == "" ||
			found.Param != row.param || found.Code != row.code {
			t.Errorf("%.80s: %d %+v", row.body, answer.Code, found)
		}
	}
}

func TestEqualTextsHaveEqualVectorsOfLengthOne(t *testing.T) {
	answer := ask(quick(), "POST", "/v1/embeddings", `{"model": "lab-echo", "input": ["a b", "c", "a b"], "dimensions": 8}`)
	found := told[struct {
		Data  []struct{ Embedding []float64 }
		Usage usage
	}](t, answer)
	sum := 0.0
	for _, number := range found.Data[0].Embedding {
		sum += number * number
	}
	if len(found.Data[0].Embedding) != 8 || sum < 0.9999 || sum > 1.0001 || found.Usage.PromptTokens != 5 {
		t.Fatalf("found %s", answer.Body)
	}
	if !slices.Equal(found.Data[0].Embedding, found.Data[2].Embedding) || slices.Equal(found.Data[0].Embedding, found.Data[1].Embedding) {
		t.Fatalf("found %s", answer.Body)
	}
}

func TestRequestsBeyondTheConcurrencyWaitAndAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(options{model: "lab-echo", concurrency: 2, tokenSeconds: 1}, time.Now())
		start, took := time.Now(), make(chan time.Duration, 3)
		for range 3 {
			go func() {
				ask(e, "POST", "/v1/completions", `{"model": "lab-echo", "prompt": "x", "max_tokens": 4}`)
				took <- time.Since(start)
			}()
		}
		synctest.Wait()
		gone, leave := context.WithCancel(t.Context())
		go func() {
			request := httptest.NewRequestWithContext(gone, "POST", "/v1/completions", strings.NewReader(`{"model": "lab-echo", "prompt": "x"}`))
			e.handler().ServeHTTP(httptest.NewRecorder(), request)
		}()
		synctest.Wait()
		expect(t, e, "vllm:num_requests_running", "2")
		expect(t, e, "vllm:num_requests_waiting", "2")
		leave()
		synctest.Wait()
		expect(t, e, "vllm:num_requests_waiting", "1")
		if first, second, third := <-took, <-took, <-took; first != 4*time.Second || second != first || third != 8*time.Second {
			t.Fatalf("took %s, %s, %s", first, second, third)
		}
		expect(t, e, "vllm:num_requests_running", "0")
		expect(t, e, "vllm:prompt_tokens_total", "3")
		expect(t, e, "vllm:generation_tokens_total", "12")
		expect(t, e, `finished_reason="length"`, "3")
		expect(t, e, `finished_reason="abort"`, "1")
	})
}

// expect looks for the value of the one series whose name or label this is.
func expect(t *testing.T, e *engine, series, value string) {
	t.Helper()
	for line := range strings.Lines(ask(e, "GET", "/metrics", "").Body.String()) {
		if !strings.HasPrefix(line, "#") && strings.Contains(line, series) {
			if !strings.HasSuffix(line, "} "+value+"\n") {
				t.Errorf("wanted %s, found %s", value, line)
			}
			return
		}
	}
	t.Errorf("%s is not told", series)
}

func TestAStreamWhoseClientLeavesGivesItsPlaceFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(options{model: "lab-echo", concurrency: 1, tokenSeconds: 1}, time.Now())
		soon, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		body := strings.NewReader(`{"model": "lab-echo", "prompt": "x", "stream": true}`)
		answer := httptest.NewRecorder()
		e.handler().ServeHTTP(answer, httptest.NewRequestWithContext(soon, "POST", "/v1/completions", body))
		if strings.Contains(answer.Body.String(), "[DONE]") {
			t.Fatal("a stream that was cut off must not look whole")
		}
		expect(t, e, "vllm:num_requests_running", "0")
		expect(t, e, "vllm:generation_tokens_total", "2")
		expect(t, e, `finished_reason="abort"`, "1")
	})
}

func TestWhatWasBegunIsAnsweredAfterTheEndIsAsked(t *testing.T) {
	e := newEngine(options{model: "lab-echo", concurrency: 1, tokenSeconds: 0.05}, time.Now())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stop, cancel := context.WithCancel(t.Context())
	ended, codes := make(chan error, 1), make(chan int, 2)
	go func() { ended <- serve(stop, listener, &http.Server{Handler: e.handler()}) }()
	for range 2 { // one runs, one waits
		go func() {
			body := strings.NewReader(`{"model": "lab-echo", "prompt": "x", "max_tokens": 4}`)
			answer, err := http.Post("http://"+listener.Addr().String()+"/v1/completions", "application/json", body)
			if err != nil {
				codes <- 0
				return
			}
			answer.Body.Close()
			codes <- answer.StatusCode
		}()
	}
	for e.counts.running.Load()+e.counts.waiting.Load() < 2 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if first, second := <-codes, <-codes; first != 200 || second != 200 {
		t.Fatalf("answered %d, %d", first, second)
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}
