package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"time"
)

const (
	// bodyLimit is far beyond a prompt of the longest context that the catalogue gives the simulator.
	bodyLimit = 1 << 20
	// bodyTime is how long a client may take to send its request.
	bodyTime = 30 * time.Second
)

// refusal is an error in OpenAI's shape, with the status that goes with it.
type refusal struct {
	status  int
	message string
	kind    string // OpenAI's `type`
	param   string // the field that is wrong
	code    string
}

func (r refusal) Error() string { return r.message }

// invalid is a request that cannot be answered as it is.
func invalid(param, format string, values ...any) refusal {
	return refusal{status: http.StatusBadRequest, kind: "invalid_request_error", param: param,
		message: fmt.Sprintf(format, values...)}
}

func missing(param, allowed string) refusal {
	return invalid(param, "%s is missing: %s", param, allowed)
}

func notFound(code, param, message string) refusal {
	return refusal{status: http.StatusNotFound, kind: "invalid_request_error", param: param, code: code, message: message}
}

// fail answers with an error.
func fail(w http.ResponseWriter, err error) {
	var found refusal
	if !errors.As(err, &found) {
		found = refusal{status: http.StatusInternalServerError, kind: "server_error", message: err.Error()}
	}
	write(w, found.status, map[string]any{"error": map[string]any{
		"message": found.message, "type": found.kind, "param": orNull(found.param), "code": orNull(found.code),
	}})
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		log.Printf("answer not written: %v", err)
	}
}

// decode fills `into` from the body of the request, which is bounded in size and in time.
func decode(w http.ResponseWriter, r *http.Request, into any) error {
	control := http.NewResponseController(w)
	// Only for the body: a deadline that stays would end a long answer. A recorder of tests has none to set.
	_ = control.SetReadDeadline(time.Now().Add(bodyTime))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
	_ = control.SetReadDeadline(time.Time{})
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return refusal{status: http.StatusRequestEntityTooLarge, kind: "invalid_request_error", code: "request_too_large",
			message: fmt.Sprintf("the request is larger than %d bytes", large.Limit)}
	} else if err != nil {
		return invalid("", "the request was not read: %v", err)
	}
	err = json.Unmarshal(body, into)
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Field != "" {
		return invalid(wrong.Field, "%s is a JSON %s, which is not allowed there", wrong.Field, wrong.Value)
	} else if err != nil {
		return invalid("", "the request is not a JSON object: %v", err)
	}
	return nil
}

// texts reads a field that is one text or a list of them.
func texts(raw json.RawMessage, param string) ([]string, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, missing(param, "a text, or a list of texts")
	}
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return []string{one}, nil
	}
	var many []string
	if json.Unmarshal(raw, &many) != nil || len(many) == 0 {
		return nil, invalid(param, "%s must be a text or a list of texts: the simulator knows no tokens by number", param)
	}
	return many, nil
}
