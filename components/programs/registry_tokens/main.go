// Command registry-tokens guards the images of a region by prefix, with tokens of its cluster:
//
//	registry-tokens serve    tells the registry, by the token protocol of CNCF distribution, who may do what
//	registry-tokens provide  hands the kubelet a pod's own token as the password of a pull
//
// It keeps no accounts. A caller shows a token of its Kubernetes ServiceAccount; what it may do follows from the
// namespace in it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"
)

var verbs = map[string]func(ctx context.Context, arguments []string, input io.Reader, output io.Writer) error{
	"serve":   runServe,
	"provide": runProvide,
}

const usage = "usage: registry-tokens serve|provide, each with --help"

// errUsage is a mistake in the command line; it ends with 2, as flag's own do.
type errUsage string

func (e errUsage) Error() string { return string(e) }

// parse reads the flags of a verb; `required` are those without a default.
func parse(flags *flag.FlagSet, arguments []string, output io.Writer, required ...string) error {
	flags.SetOutput(output)
	if err := flags.Parse(arguments); errors.Is(err, flag.ErrHelp) {
		return err
	} else if err != nil {
		return errUsage(err.Error())
	}
	for _, name := range required {
		if flags.Lookup(name).Value.String() == "" {
			return errUsage(fmt.Sprintf("--%s is missing: %s", name, flags.Lookup(name).Usage))
		}
	}
	return nil
}

func run(ctx context.Context, arguments []string, input io.Reader, output io.Writer) error {
	if len(arguments) == 0 {
		return errUsage(usage)
	}
	verb, known := verbs[arguments[0]]
	if !known {
		return errUsage(fmt.Sprintf("%s is no verb; %s", arguments[0], usage))
	}
	return verb(ctx, arguments[1:], input, output)
}

func main() {
	log.SetFlags(log.LstdFlags | log.LUTC)
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout)
	var wrong errUsage
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.As(err, &wrong):
		fmt.Fprintf(os.Stderr, "registry-tokens: %v\n", err)
		os.Exit(2)
	default:
		fmt.Fprintf(os.Stderr, "registry-tokens: %v\n", err)
		os.Exit(1)
	}
}
