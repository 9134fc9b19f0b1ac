package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"unicode"
)

// settings is what both kinds of completion can be asked for. What else OpenAI's API has (temperature, seed, stop
// and so on) is taken and has no effect: nothing is sampled here.
type settings struct {
	Model         string `json:"model"`
	Stream        bool   `json:"stream"`
	StreamOptions *struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
	MaxTokens           *int `json:"max_tokens"`
	MaxCompletionTokens *int `json:"max_completion_tokens"`
	N                   *int `json:"n"`
}

func (s settings) check(e *engine) error {
	if err := e.knows(s.Model); err != nil {
		return err
	}
	if s.StreamOptions != nil && !s.Stream {
		return invalid("stream_options", "stream_options is allowed with stream: true only")
	}
	if s.N != nil && *s.N != 1 {
		return invalid("n", "n is %d: the simulator gives 1 answer", *s.N)
	}
	for param, limit := range map[string]*int{"max_tokens": s.MaxTokens, "max_completion_tokens": s.MaxCompletionTokens} {
		if limit != nil && *limit < 1 {
			return invalid(param, "%s is %d: allowed is 1 or more", param, *limit)
		}
	}
	return nil
}

// job is what a request asks for, whatever its endpoint.
type job struct {
	prompt int // tokens that were read
	answer []string
	finish finish
	stream bool
	usage  bool // whether a stream ends with it
}

// jobOf cuts the echo of text to the tokens that the request allows.
func jobOf(said settings, text string, promptTokens int) job {
	made := job{prompt: promptTokens, answer: tokens(echo(said.Model, text)), finish: stopped, stream: said.Stream}
	made.usage = said.StreamOptions != nil && said.StreamOptions.IncludeUsage
	for _, limit := range []*int{said.MaxTokens, said.MaxCompletionTokens} {
		if limit != nil && *limit < len(made.answer) {
			made.answer, made.finish = made.answer[:*limit], cut
		}
	}
	return made
}

// echo is the whole wit of the simulator; it says what it is before anything else.
func echo(model, text string) string {
	return fmt.Sprintf("[%s is a simulator, this is an echo] %s", model, text)
}

// tokens are words, each with the white space after it: joined they are the text again. A real tokenizer finds more.
func tokens(text string) []string {
	var found []string
	begin, inSpace := 0, true
	for at, letter := range text {
		isSpace := unicode.IsSpace(letter)
		if !isSpace && inSpace && strings.TrimSpace(text[begin:at]) != "" {
			found = append(found, text[begin:at])
			begin = at
		}
		inSpace = isSpace
	}
	if begin < len(text) {
		found = append(found, text[begin:])
	}
	return found
}

type chatMessage struct {
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"`
}

// text joins the parts of a message; the simulator looks at no images.
func (m chatMessage) text(at int) (string, error) {
	param := fmt.Sprintf("messages[%d].content", at)
	var whole string
	if len(m.Content) == 0 || json.Unmarshal(m.Content, &whole) == nil { // null leaves it empty, as beside tool calls
		return whole, nil
	}
	var parts []struct {
		Type string  `json:"type"`
		Text *string `json:"text"`
	}
	if err := json.Unmarshal(m.Content, &parts); err != nil {
		return "", invalid(param, "%s must be a text or a list of parts", param)
	}
	var texts []string
	for _, part := range parts {
		if part.Type != "text" || part.Text == nil {
			return "", invalid(param, "%s has a part of type %q: the simulator takes parts of type \"text\" with a text", param, part.Type)
		}
		texts = append(texts, *part.Text)
	}
	return strings.Join(texts, "\n"), nil
}

// chat echoes the last message of the user.
func (e *engine) chat(w http.ResponseWriter, r *http.Request) error {
	var said struct {
		settings
		Messages []chatMessage `json:"messages"`
	}
	if err := decode(w, r, &said); err != nil {
		return err
	}
	if err := said.check(e); err != nil {
		return err
	}
	text, read, err := conversation(said.Messages)
	if err != nil {
		return err
	}
	e.answer(w, r, jobOf(said.settings, text, read), chatForm)
	return nil
}

// conversation returns what is to be echoed, and the tokens of all messages.
func conversation(messages []chatMessage) (text string, read int, err error) {
	if len(messages) == 0 {
		return "", 0, missing("messages", "a list with one message at least")
	}
	for at, message := range messages {
		if message.Role == "" {
			return "", 0, missing(fmt.Sprintf("messages[%d].role", at), "such as \"user\"")
		}
		content, err := message.text(at)
		if err != nil {
			return "", 0, err
		}
		read += len(tokens(content))
		if message.Role == "user" {
			text = content
		}
	}
	return text, read, nil
}

// complete echoes the prompt.
func (e *engine) complete(w http.ResponseWriter, r *http.Request) error {
	var said struct {
		settings
		Prompt json.RawMessage `json:"prompt"`
	}
	if err := decode(w, r, &said); err != nil {
		return err
	}
	if err := said.check(e); err != nil {
		return err
	}
	prompts, err := texts(said.Prompt, "prompt")
	if err != nil {
		return err
	}
	if len(prompts) != 1 {
		return invalid("prompt", "prompt has %d texts: the simulator takes 1", len(prompts))
	}
	e.answer(w, r, jobOf(said.settings, prompts[0], len(tokens(prompts[0]))), textForm)
	return nil
}
