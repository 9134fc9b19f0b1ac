// Command simulated-gpu-driver publishes GPUs that do not exist, by the protocol of those that do: it is a kubelet
// plugin for dynamic resource allocation. What its GPUs are, the configuration says. Containers get of them what tells
// which they are, and nothing that computes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	resource "k8s.io/api/resource/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/dynamic-resource-allocation/kubeletplugin"
)

// options is where the plugin runs.
type options struct {
	driver, node, config, kubelet, cdi string
}

// plugin answers the kubelet.
type plugin struct {
	claims claims
	// fail ends the program.
	fail context.CancelCauseFunc
}

func (p plugin) PrepareResourceClaims(_ context.Context, asked []*resource.ResourceClaim) (map[types.UID]kubeletplugin.PrepareResult, error) {
	found := map[types.UID]kubeletplugin.PrepareResult{}
	for _, claim := range asked {
		devices, err := p.claims.prepare(claim)
		log.Printf("prepared claim %s/%s (%s): %d devices, error: %v", claim.Namespace, claim.Name, claim.UID, len(devices), err)
		found[claim.UID] = kubeletplugin.PrepareResult{Devices: devices, Err: err}
	}
	return found, nil
}

func (p plugin) UnprepareResourceClaims(_ context.Context, asked []kubeletplugin.NamespacedObject) (map[types.UID]error, error) {
	found := map[types.UID]error{}
	for _, claim := range asked {
		found[claim.UID] = p.claims.unprepare(claim.UID)
		log.Printf("unprepared claim %s, error: %v", claim, found[claim.UID])
	}
	return found, nil
}

func (p plugin) HandleError(_ context.Context, err error, message string) {
	log.Printf("%s: %v", message, err)
	if !errors.Is(err, kubeletplugin.ErrRecoverable) {
		p.fail(fmt.Errorf("%s: %w", message, err))
	}
}

// run publishes the host's GPUs and answers the kubelet until it is stopped. A restart takes up where it was.
func run(stop context.Context, client kubernetes.Interface, at options) error {
	ctx, fail := context.WithCancelCause(stop)
	defer fail(nil)
	configuration, err := readConfiguration(at.config)
	if err != nil {
		return err
	}
	node, err := client.CoreV1().Nodes().Get(ctx, at.node, meta.GetOptions{})
	if err != nil {
		return err
	}
	gpus, err := configuration.of(node)
	if err != nil {
		return err
	}
	data := filepath.Join(at.kubelet, "plugins", at.driver)
	if err := os.MkdirAll(data, 0o750); err != nil {
		return err
	}
	helper, err := kubeletplugin.Start(ctx,
		plugin{claims: claims{driver: at.driver, node: at.node, folder: at.cdi, count: gpus.Count}, fail: fail},
		kubeletplugin.DriverName(at.driver),
		kubeletplugin.NodeName(at.node),
		kubeletplugin.NodeUID(node.UID),
		kubeletplugin.KubeClient(client),
		kubeletplugin.RegistrarDirectoryPath(filepath.Join(at.kubelet, "plugins_registry")),
		kubeletplugin.PluginDataDirectoryPath(data),
	)
	if err != nil {
		return err
	}
	defer helper.Stop()
	if err := helper.PublishResources(ctx, resources(at.node, gpus)); err != nil && stop.Err() == nil {
		return err
	}
	log.Printf("host %s has %d simulated GPUs: %s, %s, %s each", at.node, gpus.Count, gpus.ProductName, gpus.Architecture, gpus.Memory.String())
	<-ctx.Done()
	if stop.Err() != nil {
		return nil
	}
	return context.Cause(ctx)
}

func main() {
	var at options
	flag.StringVar(&at.driver, "driver", "gpu.example.com", "name under which the GPUs are published")
	flag.StringVar(&at.node, "node", os.Getenv("NODE_NAME"), "node that this runs on")
	flag.StringVar(&at.config, "config", "/etc/gpu-driver/pools.json", "file of JSON that says what the GPUs of each pool are")
	flag.StringVar(&at.kubelet, "kubelet", "/var/lib/kubelet", "folder of the kubelet")
	flag.StringVar(&at.cdi, "cdi", "/var/run/cdi", "folder of CDI files")
	flag.Parse()
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	configuration, err := rest.InClusterConfig()
	if err != nil {
		log.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(configuration)
	if err != nil {
		log.Fatal(err)
	}
	if err := run(stop, client, at); err != nil {
		log.Fatal(err)
	}
}
