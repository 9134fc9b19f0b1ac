package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	kubeadmapi "k8s.io/kubernetes/cmd/kubeadm/app/apis/kubeadm"
	"k8s.io/kubernetes/cmd/kubeadm/app/discovery"
	configutil "k8s.io/kubernetes/cmd/kubeadm/app/util/config"
	kubeconfigutil "k8s.io/kubernetes/cmd/kubeadm/app/util/kubeconfig"
)

// fleet is what all simulated machines have in common.
type fleet struct {
	server    string
	authority []byte
	directory string
}

// own gives each machine an authority file of its own, equal in meaning. The client library keeps one connection
// for all clients with equal settings, and separate machines do not share one.
func (f *fleet) own(part, name string) []byte {
	return append([]byte("# "+part+" of "+name+"\n"), f.authority...)
}

// stopwatch notes how long each step of a join took.
type stopwatch struct {
	began, last time.Time
	steps       map[string]float64
}

func started() *stopwatch {
	now := time.Now()
	return &stopwatch{began: now, last: now, steps: map[string]float64{}}
}

func (s *stopwatch) done(step string) {
	now := time.Now()
	s.steps[step] = now.Sub(s.last).Seconds()
	s.last = now
}

func (s *stopwatch) seconds() float64 { return time.Since(s.began).Seconds() }

// join makes one machine a node: first as kubeadm, which ends at its first error, then as the kubelet.
func (f *fleet) join(ctx context.Context, wanted command, tell func(event)) {
	watch := started()
	fail := func(step string, err error) {
		tell(event{Event: "failed", Node: wanted.Name, Seconds: watch.seconds(), Steps: watch.steps, Step: step, Error: err.Error()})
	}
	step, err := f.preflight(ctx, wanted, watch)
	if err != nil {
		fail(step, err)
		return
	}
	bootstrap := clientcmdConfig(f.server, f.own("kubelet", wanted.Name), wanted.Token)
	config, err := restConfig(bootstrap)
	if err != nil {
		fail("certificate", err)
		return
	}
	// kubeadm waits that long for the kubelet's certificate.
	limit := defaultTimeouts().TLSBootstrap.Duration
	waiting, cancel := context.WithTimeout(ctx, limit)
	credentials, err := requestCertificate(waiting, config, wanted.Name)
	cancel()
	if err != nil {
		fail("certificate", err)
		return
	}
	watch.done("certificate")
	tell(event{Event: "joined", Node: wanted.Name, Seconds: watch.seconds(), Steps: watch.steps})
	node, err := newKubelet(config, credentials, wanted.Name)
	if err != nil {
		fail("register", err)
		return
	}
	if err := node.register(ctx); err != nil {
		fail("register", err)
		return
	}
	watch.done("register")
	tell(event{Event: "ready", Node: wanted.Name, Seconds: watch.seconds(), Steps: watch.steps})
	node.live(ctx)
}

// preflight is what `kubeadm join` asks of the API server before it starts the kubelet; names the step that failed.
func (f *fleet) preflight(ctx context.Context, wanted command, watch *stopwatch) (string, error) {
	config := &kubeadmapi.JoinConfiguration{
		NodeRegistration: kubeadmapi.NodeRegistrationOptions{Name: wanted.Name},
		Timeouts:         defaultTimeouts(),
	}
	authority := f.own("kubeadm", wanted.Name)
	if wanted.Hash != "" {
		config.Discovery.BootstrapToken = &kubeadmapi.BootstrapTokenDiscovery{
			Token: wanted.Token, APIServerEndpoint: f.server[len("https://"):], CACertHashes: []string{wanted.Hash},
		}
	} else {
		path := filepath.Join(f.directory, fmt.Sprintf("%x.conf", sha256.Sum256([]byte(wanted.Name))))
		if err := clientcmd.WriteToFile(*clientcmdConfig(f.server, authority, wanted.Token), path); err != nil {
			return "discovery", err
		}
		defer os.Remove(path)
		config.Discovery.File = &kubeadmapi.FileDiscovery{KubeConfigPath: path}
	}
	config.Discovery.TLSBootstrapToken = wanted.Token
	bootstrap, err := discovery.For(nil, config)
	if err != nil {
		return "discovery", err
	}
	watch.done("discovery")
	for _, cluster := range bootstrap.Clusters {
		cluster.CertificateAuthorityData = authority
	}
	client, err := kubeconfigutil.ToClientSet(bootstrap)
	if err != nil {
		return "configuration", err
	}
	defer hangUp(client)
	if _, err := configutil.FetchInitConfigurationFromCluster(client, nil, "preflight", false, false, true, false); err != nil {
		return "configuration", err
	}
	watch.done("configuration")
	if _, err := client.CoreV1().Nodes().Get(ctx, wanted.Name, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		if err == nil {
			err = fmt.Errorf("there is a node of this name")
		}
		return "name", err
	}
	watch.done("name")
	return "", nil
}

// hangUp ends the connections of a program that would end here.
func hangUp(client kubernetes.Interface) {
	if plain, ok := client.CoreV1().RESTClient().(*rest.RESTClient); ok {
		utilnet.CloseIdleConnectionsFor(plain.Client.Transport)
	}
}

func defaultTimeouts() *kubeadmapi.Timeouts {
	var limits *kubeadmapi.Timeouts
	kubeadmapi.SetDefaultTimeouts(&limits)
	return limits
}

func clientcmdConfig(server string, authority []byte, token string) *clientcmdapi.Config {
	return kubeconfigutil.CreateWithToken(server, "region", "join", authority, token)
}
