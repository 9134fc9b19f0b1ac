// simulated-node plays machines that join a Kubernetes cluster.
//
// It is a simulator: there is no machine, no container runtime and no pod behind a node of it. What it
// asks the API server is real: kubeadm's own packages do the discovery and read the cluster's
// configuration, with kubeadm's time limits and retries; the kubelet's part (certificate, registration,
// lease, status, events, watches) makes a kubelet's calls in a kubelet's order with the client library
// that a kubelet has.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"k8s.io/klog/v2"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	quiet := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(quiet)
	_ = quiet.Set("logtostderr", "false")
	_ = quiet.Set("stderrthreshold", "FATAL")
	klog.SetOutput(io.Discard)
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "simulated-node:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, words []string) error {
	if len(words) == 0 {
		return fmt.Errorf("say `fleet` or `kubelet`")
	}
	flags := flag.NewFlagSet(words[0], flag.ContinueOnError)
	switch words[0] {
	case "fleet":
		server := flags.String("server", "", "https://address:port of the API server")
		authority := flags.String("ca", "", "file with the certificate of the cluster's authority")
		directory := flags.String("directory", "", "where discovery files are written")
		if err := flags.Parse(words[1:]); err != nil {
			return err
		}
		data, err := os.ReadFile(*authority)
		if err != nil {
			return err
		}
		return serve(ctx, &fleet{server: *server, authority: data, directory: *directory}, os.Stdin)
	case "kubelet":
		bootstrap := flags.String("bootstrap-kubeconfig", "", "what kubeadm leaves")
		kubeconfig := flags.String("kubeconfig", "", "what the kubelet makes of it")
		name := flags.String("name", "", "of the node")
		healthz := flags.Int("healthz-port", 0, "where kubeadm asks whether the kubelet runs")
		if err := flags.Parse(words[1:]); err != nil {
			return err
		}
		return standIn(ctx, *bootstrap, *kubeconfig, *name, *healthz)
	}
	return fmt.Errorf("%q is not known; say `fleet` or `kubelet`", words[0])
}

// command is a line of standard input: a node to join, or (without a name) the wish for a report.
type command struct {
	Name  string `json:"name"`
	Token string `json:"token"`
	// Hash of the authority's key, as `kubeadm token create --print-join-command` prints it. With it the cluster
	// is discovered by token and signature; without it by file, because the machine has the authority.
	Hash string `json:"hash,omitempty"`
}

// event is a line of standard output.
type event struct {
	Event   string             `json:"event"`
	Node    string             `json:"node,omitempty"`
	Seconds float64            `json:"seconds"`
	Steps   map[string]float64 `json:"steps,omitempty"`
	Step    string             `json:"step,omitempty"`
	Error   string             `json:"error,omitempty"`
	Report  *report            `json:"report,omitempty"`
}

// serve joins what standard input names, each at once when it is named; ends with its input.
func serve(ctx context.Context, all *fleet, input io.Reader) error {
	out := os.Stdout
	silent, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	os.Stdout = silent // kubeadm's packages tell their progress there
	measured := measure()
	var writing sync.Mutex
	encoder := json.NewEncoder(out)
	tell := func(e event) {
		writing.Lock()
		defer writing.Unlock()
		_ = encoder.Encode(e)
	}
	lines := make(chan command)
	failed := make(chan error, 1)
	go func() {
		defer close(lines)
		scanner := bufio.NewScanner(input)
		for scanner.Scan() {
			var wanted command
			if err := json.Unmarshal(scanner.Bytes(), &wanted); err != nil {
				failed <- fmt.Errorf("a line of the input: %w", err)
				return
			}
			lines <- wanted
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case wanted, more := <-lines:
			switch {
			case !more:
				select {
				case err := <-failed:
					return err
				default:
					return nil
				}
			case wanted.Name == "":
				tell(event{Event: "report", Report: measured.report()})
			default:
				go all.join(ctx, wanted, tell)
			}
		}
	}
}
