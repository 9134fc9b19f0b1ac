package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// manifestName is the list of files that was fetched with the weights (components/programs/weights).
const manifestName = ".weights.json"

// verifyWeights reads all weights, as an engine on GPUs would, and refuses what is not as the manifest of this digest
// says. It tells their size. They mean nothing to a simulator: this shows that the right ones came.
func verifyWeights(folder, digest string) (int64, error) {
	var about struct {
		Files []struct {
			Path   string `json:"path"`
			SHA256 string `json:"sha256"`
		} `json:"files"`
	}
	text, err := os.ReadFile(filepath.Join(folder, manifestName))
	if err != nil {
		return 0, err
	}
	if sum := sha256.Sum256(text); "sha256:"+hex.EncodeToString(sum[:]) != digest {
		return 0, fmt.Errorf("%s has the digest sha256:%x", manifestName, sum)
	}
	if err := json.Unmarshal(text, &about); err != nil {
		return 0, err
	}
	var total int64
	for _, file := range about.Files {
		content, err := os.Open(filepath.Join(folder, filepath.FromSlash(file.Path)))
		if err != nil {
			return 0, err
		}
		sum := sha256.New()
		size, err := io.Copy(sum, content)
		content.Close()
		if err != nil {
			return 0, err
		}
		if held := hex.EncodeToString(sum.Sum(nil)); held != file.SHA256 {
			return 0, fmt.Errorf("%s has the digest sha256:%s, not sha256:%s", file.Path, held, file.SHA256)
		}
		total += size
	}
	return total, nil
}
