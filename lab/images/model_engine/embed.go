package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"math/rand/v2"
	"net/http"
)

const (
	defaultDimensions = 64
	maxDimensions     = 4096
	maxInputs         = 2048
)

// vector is drawn from the digest of the text and has length 1: equal texts are equal, and nothing else is near.
func vector(text string, dimensions int) []float32 {
	draw := rand.NewChaCha8(sha256.Sum256([]byte(text)))
	numbers, sum := make([]float64, dimensions), 0.0
	for at := range numbers {
		numbers[at] = float64(draw.Uint64())/math.MaxUint64*2 - 1
		sum += numbers[at] * numbers[at]
	}
	found := make([]float32, dimensions)
	for at, number := range numbers {
		found[at] = float32(number / math.Sqrt(sum))
	}
	return found
}

// encoded is a vector as the request wants it: numbers, or base64 of their bytes, which OpenAI's client asks for.
func encoded(numbers []float32, format string) any {
	if format != "base64" {
		return numbers
	}
	var raw bytes.Buffer
	_ = binary.Write(&raw, binary.LittleEndian, numbers) // a buffer takes all
	return base64.StdEncoding.EncodeToString(raw.Bytes())
}

type embeddingRequest struct {
	Model      string          `json:"model"`
	Input      json.RawMessage `json:"input"`
	Format     string          `json:"encoding_format"`
	Dimensions *int            `json:"dimensions"`
}

// check returns the texts and how many numbers each becomes.
func (q embeddingRequest) check() (inputs []string, dimensions int, err error) {
	if inputs, err = texts(q.Input, "input"); err != nil {
		return nil, 0, err
	}
	if len(inputs) > maxInputs {
		return nil, 0, invalid("input", "input has %d texts: allowed are %d", len(inputs), maxInputs)
	}
	if q.Format != "" && q.Format != "float" && q.Format != "base64" {
		return nil, 0, invalid("encoding_format", "encoding_format is %q: allowed are float and base64", q.Format)
	}
	dimensions = defaultDimensions
	if q.Dimensions != nil {
		dimensions = *q.Dimensions
	}
	if dimensions < 1 || dimensions > maxDimensions {
		return nil, 0, invalid("dimensions", "dimensions is %d: allowed are 1 to %d", dimensions, maxDimensions)
	}
	return inputs, dimensions, nil
}

// embed answers with a vector for each text.
func (e *engine) embed(w http.ResponseWriter, r *http.Request) error {
	var said embeddingRequest
	if err := decode(w, r, &said); err != nil {
		return err
	}
	if err := e.knows(said.Model); err != nil {
		return err
	}
	inputs, dimensions, err := said.check()
	if err != nil {
		return err
	}
	read := 0
	for _, text := range inputs {
		read += len(tokens(text))
	}
	e.run(r.Context(), read, func() finish {
		data := make([]map[string]any, len(inputs))
		for at, text := range inputs {
			data[at] = map[string]any{"object": "embedding", "index": at, "embedding": encoded(vector(text, dimensions), said.Format)}
		}
		write(w, http.StatusOK, map[string]any{
			"object": "list", "data": data, "model": e.model,
			"usage": map[string]int{"prompt_tokens": read, "total_tokens": read},
		})
		return stopped
	})
	return nil
}
