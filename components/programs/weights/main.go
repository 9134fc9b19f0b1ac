// Command weights brings the weights of models from a region's bucket to the engines that serve them, by digest at
// every step:
//
//	weights publish   puts a folder into the bucket, each file under its digest, and prints the digest of the whole
//	weights serve     a cache of a rack: reads the bucket, verifies, keeps what was used last, answers by HTTP
//	weights fetch     fills the folder of an engine from the cache of its rack, and verifies again
//
// Nothing here has a name of its own: a file is what its SHA-256 says, in the bucket, in the cache and on the way.
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

var verbs = map[string]func(ctx context.Context, arguments []string, output io.Writer) error{
	"publish": runPublish,
	"serve":   runServe,
	"fetch":   runFetch,
}

const usage = "usage: weights publish|serve|fetch, each with --help"

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

func run(ctx context.Context, arguments []string, output io.Writer) error {
	if len(arguments) == 0 {
		return errUsage(usage)
	}
	verb, known := verbs[arguments[0]]
	if !known {
		return errUsage(fmt.Sprintf("%s is no verb; %s", arguments[0], usage))
	}
	return verb(ctx, arguments[1:], output)
}

func main() {
	log.SetFlags(log.LstdFlags | log.LUTC)
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	err := run(ctx, os.Args[1:], os.Stdout)
	var wrong errUsage
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.As(err, &wrong):
		fmt.Fprintf(os.Stderr, "weights: %v\n", err)
		os.Exit(2)
	default:
		// The last line of a container's log is what Kubernetes tells of why it ended.
		fmt.Fprintf(os.Stderr, "weights: %v\n", err)
		os.Exit(1)
	}
}
