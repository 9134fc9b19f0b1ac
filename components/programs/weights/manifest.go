package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// manifestName is the file beside the weights that says what they are; an engine may hold them to it.
const manifestName = ".weights.json"

// manifestLimit bounds what is read as a manifest: some hundred bytes for each file.
const manifestLimit = 16 << 20

var hexDigest = regexp.MustCompile(`^[0-9a-f]{64}$`)

// digest is a SHA-256 in hex.
type digest string

func (d digest) String() string { return "sha256:" + string(d) }

// key is the name of the object in the bucket, and of the path in the cache.
func (d digest) key() string { return "sha256/" + string(d) }

func parseDigest(text string) (digest, error) {
	bare := strings.TrimPrefix(text, "sha256:")
	if !hexDigest.MatchString(bare) {
		return "", fmt.Errorf("%q is no digest: sha256: and 64 hexadecimal digits", text)
	}
	return digest(bare), nil
}

func digestOf(sum hash.Hash) digest { return digest(hex.EncodeToString(sum.Sum(nil))) }

func digestOfText(text []byte) digest {
	sum := sha256.Sum256(text)
	return digest(hex.EncodeToString(sum[:]))
}

// digestOfFile reads a file once.
func digestOfFile(path string) (digest, int64, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer file.Close()
	sum := sha256.New()
	size, err := io.Copy(sum, file)
	return digestOf(sum), size, err
}

// entry is one file of the weights.
type entry struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	SHA256 digest `json:"sha256"`
}

// manifest names all files of some weights; its own digest stands for the whole.
type manifest struct {
	Files []entry `json:"files"`
}

func (m manifest) size() int64 {
	var total int64
	for _, file := range m.Files {
		total += file.Size
	}
	return total
}

// text is the form that the digest is of.
func (m manifest) text() []byte {
	text, err := json.Marshal(m)
	if err != nil {
		panic(err) // strings and numbers only
	}
	return append(text, '\n')
}

// readManifestFile reads no further than a manifest may go: the digest may be that of a file of weights.
func readManifestFile(path string) (manifest, error) {
	if about, err := os.Stat(path); err != nil {
		return manifest{}, err
	} else if about.Size() > manifestLimit {
		return manifest{}, fmt.Errorf("%d bytes are no manifest of weights", about.Size())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return manifest{}, err
	}
	return readManifest(text)
}

// readManifest refuses what would write beyond its folder, or what is no list of files.
func readManifest(text []byte) (manifest, error) {
	var found manifest
	if err := json.Unmarshal(text, &found); err != nil {
		return found, fmt.Errorf("no manifest of weights: %w", err)
	}
	if len(found.Files) == 0 {
		return found, errors.New("a manifest of weights without files")
	}
	seen := map[string]bool{manifestName: true}
	for _, file := range found.Files {
		clean := filepath.ToSlash(filepath.Clean(file.Path))
		if !filepath.IsLocal(file.Path) || clean != file.Path || seen[file.Path] {
			return found, fmt.Errorf("a manifest of weights names %q: paths are relative, clean, and name a file once", file.Path)
		}
		if !hexDigest.MatchString(string(file.SHA256)) || file.Size < 0 {
			return found, fmt.Errorf("a manifest of weights says of %s what is no digest or no size", file.Path)
		}
		seen[file.Path] = true
	}
	return found, nil
}
