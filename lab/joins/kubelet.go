package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"os"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	certutil "k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/certificate/csr"
	"k8s.io/client-go/util/keyutil"
)

const (
	leaseNamespace = "kube-node-lease"
	leaseSeconds   = 40
	renewEvery     = 10 * time.Second
	// A kubelet's own limits on what it asks of the API server.
	requestsPerSecond = 50
	requestsAtOnce    = 100
)

// credentials are a certificate and its key, in PEM.
type credentials struct {
	certificate, key []byte
}

func restConfig(config *clientcmdapi.Config) (*rest.Config, error) {
	return clientcmd.NewDefaultClientConfig(*config, &clientcmd.ConfigOverrides{}).ClientConfig()
}

// requestCertificate has a new key signed, again and again until the context ends, as a kubelet does.
func requestCertificate(ctx context.Context, config *rest.Config, name string) (*credentials, error) {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	defer hangUp(client)
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	key, err := keyutil.MarshalPrivateKeyToPEM(private)
	if err != nil {
		return nil, err
	}
	subject := &pkix.Name{Organization: []string{"system:nodes"}, CommonName: "system:node:" + name}
	request, err := certutil.MakeCSR(private, subject, nil, nil)
	if err != nil {
		return nil, err
	}
	usages := []certificatesv1.KeyUsage{certificatesv1.UsageDigitalSignature, certificatesv1.UsageClientAuth}
	var signed []byte
	var last error
	pauses := wait.Backoff{Duration: 2 * time.Second, Factor: 2, Jitter: 0.1, Steps: 5}
	err = wait.ExponentialBackoffWithContext(ctx, pauses, func(ctx context.Context) (bool, error) {
		id, uid, err := csr.RequestCertificateWithContext(
			ctx, client, request, "", certificatesv1.KubeAPIServerClientKubeletSignerName, nil, usages, private)
		if err == nil {
			signed, err = csr.WaitForCertificate(ctx, client, id, uid)
		}
		last = err
		return err == nil, nil
	})
	if err != nil {
		if last == nil {
			last = err
		}
		return nil, fmt.Errorf("no certificate: %w", last)
	}
	return &credentials{certificate: signed, key: key}, nil
}

// kubelet is a node that only its API calls show.
type kubelet struct {
	name   string
	client *kubernetes.Clientset
	uid    types.UID
}

func newKubelet(bootstrap *rest.Config, own *credentials, name string) (*kubelet, error) {
	client, err := kubernetes.NewForConfig(&rest.Config{
		Host:            bootstrap.Host,
		TLSClientConfig: rest.TLSClientConfig{CAData: bootstrap.CAData, CertData: own.certificate, KeyData: own.key},
		ContentConfig:   rest.ContentConfig{ContentType: runtime.ContentTypeProtobuf},
		QPS:             requestsPerSecond,
		Burst:           requestsAtOnce,
	})
	if err != nil {
		return nil, err
	}
	return &kubelet{name: name, client: client}, nil
}

// register makes the node, its lease and what the storage part keeps of it, and says that the node is ready.
func (k *kubelet) register(ctx context.Context) error {
	step := 100 * time.Millisecond
	for {
		node, err := k.client.CoreV1().Nodes().Create(ctx, k.node(), metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) {
			node, err = k.client.CoreV1().Nodes().Get(ctx, k.name, metav1.GetOptions{})
		}
		if err == nil {
			k.uid = node.UID
			break
		}
		if err := pause(ctx, step); err != nil {
			return err
		}
		step = min(2*step, 7*time.Second)
	}
	for _, do := range []func(context.Context) error{k.lease, k.storage, k.ready} {
		if err := insist(ctx, do); err != nil {
			return err
		}
	}
	return nil
}

func (k *kubelet) node() *corev1.Node {
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: k.name, Labels: map[string]string{
			"kubernetes.io/hostname": k.name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "arm64",
		}},
		Status: k.status(corev1.ConditionFalse),
	}
}

func (k *kubelet) status(ready corev1.ConditionStatus) corev1.NodeStatus {
	now := metav1.Now()
	conditions := []corev1.NodeCondition{{
		Type: corev1.NodeReady, Status: ready, Reason: "Simulated", Message: "a simulated kubelet",
		LastHeartbeatTime: now, LastTransitionTime: now,
	}}
	for _, pressure := range []corev1.NodeConditionType{corev1.NodeMemoryPressure, corev1.NodeDiskPressure, corev1.NodePIDPressure} {
		conditions = append(conditions, corev1.NodeCondition{
			Type: pressure, Status: corev1.ConditionFalse, Reason: "Simulated", LastHeartbeatTime: now, LastTransitionTime: now,
		})
	}
	size := corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("144"), corev1.ResourceMemory: resource.MustParse("960Gi"),
		corev1.ResourcePods: resource.MustParse("110"),
	}
	return corev1.NodeStatus{
		Conditions: conditions, Capacity: size, Allocatable: size,
		NodeInfo: corev1.NodeSystemInfo{KubeletVersion: "v1.36.3", OperatingSystem: "linux", Architecture: "arm64"},
	}
}

func (k *kubelet) lease(ctx context.Context) error {
	now, seconds := metav1.NewMicroTime(time.Now()), int32(leaseSeconds)
	leases := k.client.CoordinationV1().Leases(leaseNamespace)
	found, err := leases.Get(ctx, k.name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		_, err = leases.Create(ctx, &coordinationv1.Lease{
			ObjectMeta: metav1.ObjectMeta{Name: k.name, OwnerReferences: []metav1.OwnerReference{
				{APIVersion: "v1", Kind: "Node", Name: k.name, UID: k.uid},
			}},
			Spec: coordinationv1.LeaseSpec{HolderIdentity: &k.name, LeaseDurationSeconds: &seconds, RenewTime: &now},
		}, metav1.CreateOptions{})
		return err
	}
	if err != nil {
		return err
	}
	found.Spec.RenewTime = &now
	_, err = leases.Update(ctx, found, metav1.UpdateOptions{})
	return err
}

func (k *kubelet) storage(ctx context.Context) error {
	nodes := k.client.StorageV1().CSINodes()
	_, err := nodes.Get(ctx, k.name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		_, err = nodes.Create(ctx, &storagev1.CSINode{ObjectMeta: metav1.ObjectMeta{
			Name: k.name, OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: k.name, UID: k.uid}},
		}}, metav1.CreateOptions{})
	}
	return err
}

func (k *kubelet) ready(ctx context.Context) error {
	patch, err := json.Marshal(map[string]any{"status": k.status(corev1.ConditionTrue)})
	if err != nil {
		return err
	}
	_, err = k.client.CoreV1().Nodes().PatchStatus(ctx, k.name, patch)
	return err
}

// live renews the lease and watches what a kubelet watches, until the context ends.
func (k *kubelet) live(ctx context.Context) {
	go k.events(ctx)
	self := fields.OneTermEqualSelector("metadata.name", k.name)
	k.watch(ctx, k.client.CoreV1().RESTClient(), "nodes", self, &corev1.Node{})
	k.watch(ctx, k.client.CoreV1().RESTClient(), "pods", fields.OneTermEqualSelector("spec.nodeName", k.name), &corev1.Pod{})
	k.watch(ctx, k.client.CoreV1().RESTClient(), "services", fields.Everything(), &corev1.Service{})
	k.watch(ctx, k.client.StorageV1().RESTClient(), "csidrivers", fields.Everything(), &storagev1.CSIDriver{})
	k.watch(ctx, k.client.NodeV1().RESTClient(), "runtimeclasses", fields.Everything(), &nodev1.RuntimeClass{})
	wait.JitterUntilWithContext(ctx, func(ctx context.Context) { _ = k.lease(ctx) }, renewEvery, 0.04, true)
}

func (k *kubelet) watch(ctx context.Context, client cache.Getter, kind string, which fields.Selector, of runtime.Object) {
	source := cache.NewListWatchFromClient(client, kind, metav1.NamespaceAll, which)
	reflector := cache.NewReflector(source, of, cache.NewStore(cache.MetaNamespaceKeyFunc), 0)
	go reflector.RunWithContext(ctx)
}

// events are what a kubelet tells of its own start.
func (k *kubelet) events(ctx context.Context) {
	for _, reason := range []string{
		"Starting", "NodeHasSufficientMemory", "NodeHasNoDiskPressure", "NodeHasSufficientPID", "NodeAllocatableEnforced", "NodeReady",
	} {
		now := metav1.Now()
		_, _ = k.client.CoreV1().Events(metav1.NamespaceDefault).Create(ctx, &corev1.Event{
			ObjectMeta:     metav1.ObjectMeta{GenerateName: k.name + ".", Namespace: metav1.NamespaceDefault},
			InvolvedObject: corev1.ObjectReference{Kind: "Node", Name: k.name, UID: types.UID(k.name)},
			Reason:         reason, Type: corev1.EventTypeNormal, Source: corev1.EventSource{Component: "kubelet", Host: k.name},
			FirstTimestamp: now, LastTimestamp: now, Count: 1,
		}, metav1.CreateOptions{})
	}
}

// insist repeats what failed, as a kubelet does.
func insist(ctx context.Context, do func(context.Context) error) error {
	step := 200 * time.Millisecond
	for {
		if do(ctx) == nil {
			return nil
		}
		if err := pause(ctx, step); err != nil {
			return err
		}
		step = min(2*step, 7*time.Second)
	}
}

func pause(ctx context.Context, length time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(length):
		return nil
	}
}

// standIn is the kubelet of a real `kubeadm join`: it takes the bootstrap file and leaves the kubelet's own.
func standIn(ctx context.Context, bootstrap, kubeconfig, name string, port int) error {
	stop, err := healthy(port)
	if err != nil {
		return err
	}
	defer stop()
	// kubeadm writes it before it would start a kubelet; this one runs already.
	given, err := clientcmd.LoadFromFile(bootstrap)
	for os.IsNotExist(err) {
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
		given, err = clientcmd.LoadFromFile(bootstrap)
	}
	if err != nil {
		return err
	}
	config, err := restConfig(given)
	if err != nil {
		return err
	}
	own, err := requestCertificate(ctx, config, name)
	if err != nil {
		return err
	}
	node, err := newKubelet(config, own, name)
	if err != nil {
		return err
	}
	left := clientcmdapi.NewConfig()
	left.Clusters["region"] = &clientcmdapi.Cluster{Server: config.Host, CertificateAuthorityData: config.CAData}
	left.AuthInfos["kubelet"] = &clientcmdapi.AuthInfo{ClientCertificateData: own.certificate, ClientKeyData: own.key}
	left.Contexts["kubelet"] = &clientcmdapi.Context{Cluster: "region", AuthInfo: "kubelet"}
	left.CurrentContext = "kubelet"
	// kubeadm ends when this file is there.
	if err := clientcmd.WriteToFile(*left, kubeconfig); err != nil {
		return err
	}
	if err := node.register(ctx); err != nil {
		return err
	}
	node.live(ctx)
	return nil
}
