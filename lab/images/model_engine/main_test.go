package main

import (
	"io"
	"strings"
	"testing"
)

func TestTheCommandLineOfThePlanIsUnderstood(t *testing.T) {
	said, err := parse(strings.Fields("--model lab-echo --port 9000 --load-seconds 0.78 --concurrency 4"), io.Discard)
	want := options{model: "lab-echo", port: 9000, loadSeconds: 0.78, concurrency: 4, tokenSeconds: 0.02}
	if err != nil || said != want {
		t.Fatalf("found %+v, %v", said, err)
	}
}

func TestAWrongCommandLineIsRefusedWithWhatIsAllowed(t *testing.T) {
	for line, says := range map[string]string{
		"":                             "--model is missing",
		"--model x --concurrency 0":    "--concurrency 0: allowed is 1 or more",
		"--model x --port 70000":       "--port 70000: allowed are 1 to 65535",
		"--model x --load-seconds -1":  "--load-seconds -1: allowed is 0 or more",
		"--model x --token-seconds -1": "--token-seconds -1: allowed is 0 or more",
		"--model x more":               "arguments are flags only, found more",
		"--model x --weights /models":  "--weights without the digest",
	} {
		if _, err := parse(strings.Fields(line), io.Discard); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: found %v, wanted %q", line, err, says)
		}
	}
}
