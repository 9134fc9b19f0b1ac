package main

import (
	"encoding/json"
	"net/http/httptest"
	"slices"
	"testing"
	"time"
)

func TestOnlyVariablesThatNameADeviceAreGPUs(t *testing.T) {
	environment := []string{"GPU_DEVICE_1=gpu-1", "GPU_DEVICE_0=gpu-0", "GPU_DEVICE_0_SHARING_STRATEGY=TimeSlicing", "PATH=/bin"}
	if found := gpus(environment); !slices.Equal(found, []string{"gpu-0", "gpu-1"}) {
		t.Fatalf("found %v", found)
	}
}

func TestTheAnswerNamesPodNodeAndGPU(t *testing.T) {
	recorder := httptest.NewRecorder()
	fixed := answer{Pod: "p", Node: "n", GPUs: []string{"gpu-2"}}
	handler(fixed, time.Now(), load{}).ServeHTTP(recorder, httptest.NewRequest("GET", "/", nil))
	var got answer
	if err := json.Unmarshal(recorder.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Pod != "p" || got.Node != "n" || !slices.Equal(got.GPUs, []string{"gpu-2"}) {
		t.Fatalf("got %+v", got)
	}
}

func TestTheGreetingIsOneLineOfAllAndItsWordCanBeChosen(t *testing.T) {
	with := answer{Pod: "p", Node: "n", GPUs: []string{"gpu-0", "gpu-1"}}
	if said := with.greeting(""); said != "hello from p on n with gpu-0, gpu-1" {
		t.Fatalf("said %q", said)
	}
	if said := (answer{Pod: "p", Node: "n"}).greeting("good morning"); said != "good morning from p on n with no GPU" {
		t.Fatalf("said %q", said)
	}
}
