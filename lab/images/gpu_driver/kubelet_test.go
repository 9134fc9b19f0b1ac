package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	dra "k8s.io/kubelet/pkg/apis/dra/v1"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

// start runs the plugin until the test ends or `stop` is called, which waits for its end.
func start(t *testing.T, client *fake.Clientset, at options) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, client, at) }()
	done := false
	stop = func() {
		if done {
			return
		}
		done = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the plugin ended with %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

func dial(t *testing.T, socket string) *grpc.ClientConn {
	t.Helper()
	connection, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	return connection
}

// registered does what a kubelet does with a plugin's socket, and returns the service that the plugin names.
func registered(ctx context.Context, t *testing.T, at options) dra.DRAPluginClient {
	t.Helper()
	client := registration.NewRegistrationClient(dial(t, filepath.Join(at.kubelet, "plugins_registry", driverName+"-reg.sock")))
	info, err := client.GetInfo(ctx, &registration.InfoRequest{}, grpc.WaitForReady(true))
	if err != nil {
		t.Fatal(err)
	}
	if info.Type != registration.DRAPlugin || info.Name != driverName {
		t.Fatalf("the plugin registers as %v", info)
	}
	if _, err := client.NotifyRegistrationStatus(ctx, &registration.RegistrationStatus{PluginRegistered: true}); err != nil {
		t.Fatal(err)
	}
	return dra.NewDRAPluginClient(dial(t, info.Endpoint))
}

func TestAKubeletPreparesAndUnpreparesOverItsSocketsAlsoAfterARestartOfThePlugin(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	kubelet, err := os.MkdirTemp("", "kubelet") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(kubelet) })
	if err := os.Mkdir(filepath.Join(kubelet, "plugins_registry"), 0o755); err != nil {
		t.Fatal(err)
	}
	at := options{driver: driverName, node: nodeName, config: configured(t, pools), kubelet: kubelet, cdi: t.TempDir()}
	claim := allocated("u-1", given("gpu-1"))
	client := fake.NewClientset(node("small"), claim)
	asked := []*dra.Claim{{Namespace: claim.Namespace, Name: claim.Name, Uid: string(claim.UID)}}

	stop := start(t, client, at)
	service := registered(ctx, t, at)
	answer, err := service.NodePrepareResources(ctx, &dra.NodePrepareResourcesRequest{Claims: asked}, grpc.WaitForReady(true))
	if err != nil || answer.Claims["u-1"].Error != "" {
		t.Fatalf("prepare: %v, %v", answer, err)
	}
	if ids := answer.Claims["u-1"].Devices[0].CdiDeviceIds; len(ids) != 1 || ids[0] != "gpu.example.com/claim=u-1-gpu-1" {
		t.Errorf("the runtime is asked for %v", ids)
	}
	for ; ; time.Sleep(20 * time.Millisecond) {
		slices, err := client.ResourceV1().ResourceSlices().List(ctx, meta.ListOptions{})
		if err != nil {
			t.Fatal("no ResourceSlice was published: ", err)
		}
		if len(slices.Items) == 1 {
			if spec := slices.Items[0].Spec; *spec.NodeName != nodeName || spec.Driver != driverName || len(spec.Devices) != 2 {
				t.Errorf("published: %v", spec)
			}
			break
		}
		if ctx.Err() != nil {
			t.Fatal("no ResourceSlice was published")
		}
	}
	stop()

	start(t, client, at)
	service = registered(ctx, t, at)
	again, err := service.NodePrepareResources(ctx, &dra.NodePrepareResourcesRequest{Claims: asked}, grpc.WaitForReady(true))
	if err != nil || again.String() != answer.String() {
		t.Errorf("after a restart: %v, %v, before it: %v", again, err, answer)
	}
	gone, err := service.NodeUnprepareResources(ctx, &dra.NodeUnprepareResourcesRequest{Claims: asked})
	if err != nil || gone.Claims["u-1"].Error != "" {
		t.Fatalf("unprepare: %v, %v", gone, err)
	}
	if left := files(t, at.cdi); len(left) != 0 {
		t.Errorf("after unprepare there is %v", left)
	}
}

func TestAHostOfAnUnknownPoolPublishesNothing(t *testing.T) {
	client := fake.NewClientset(node("huge"))
	at := options{driver: driverName, node: nodeName, config: configured(t, pools), kubelet: t.TempDir(), cdi: t.TempDir()}
	if err := run(context.Background(), client, at); err == nil {
		t.Error("it runs")
	}
}
