// Command claim-metrics tells which devices are allocated to which ResourceClaims, and which pods use them, as
// metrics. kube-state-metrics tells so of custom resources only, and a ResourceClaim is none.
package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"os/signal"
	"slices"
	"syscall"
	"time"

	resource "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

const address = ":8082"

// write prints the series of all claims, sorted, so that equal claims are told by equal bytes.
func write(to io.Writer, claims []*resource.ResourceClaim) {
	slices.SortFunc(claims, func(a, b *resource.ResourceClaim) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	out := bufio.NewWriter(to)
	defer out.Flush()
	each := func(name, help string, lines func(claim *resource.ResourceClaim, labels string)) {
		fmt.Fprintf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name)
		for _, claim := range claims {
			lines(claim, fmt.Sprintf("namespace=%q,resourceclaim=%q,uid=%q", claim.Namespace, claim.Name, claim.UID))
		}
	}
	const created, device, user = "kube_resourceclaim_created", "kube_resourceclaim_allocated_device", "kube_resourceclaim_reserved_for"
	each(created, "When the claim was made, in seconds of Unix time.", func(claim *resource.ResourceClaim, labels string) {
		fmt.Fprintf(out, "%s{%s} %d\n", created, labels, claim.CreationTimestamp.Unix())
	})
	each(device, "A device that is allocated to the claim.", func(claim *resource.ResourceClaim, labels string) {
		if claim.Status.Allocation == nil {
			return
		}
		for _, given := range claim.Status.Allocation.Devices.Results {
			fmt.Fprintf(out, "%s{%s,request=%q,driver=%q,pool=%q,device=%q} 1\n",
				device, labels, given.Request, given.Driver, given.Pool, given.Device)
		}
	})
	each(user, "A pod that uses the claim's devices.", func(claim *resource.ResourceClaim, labels string) {
		for _, reserved := range claim.Status.ReservedFor {
			fmt.Fprintf(out, "%s{%s,resource=%q,pod=%q} 1\n", user, labels, reserved.Resource, reserved.Name)
		}
	})
}

// trim drops what is not told, so that a region of many claims fits in little memory.
func trim(object any) (any, error) {
	if claim, ok := object.(*resource.ResourceClaim); ok {
		claim.ManagedFields, claim.Annotations, claim.Labels = nil, nil, nil
		claim.Spec, claim.Status.Devices = resource.ResourceClaimSpec{}, nil
	}
	return object, nil
}

func handler(store cache.Store, synced func() bool) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(answer http.ResponseWriter, _ *http.Request) { fmt.Fprintln(answer, "ok") })
	// Before it has read all claims it would tell of a part: a gap is better than a wrong figure.
	whole := func(next http.HandlerFunc) http.HandlerFunc {
		return func(answer http.ResponseWriter, request *http.Request) {
			if !synced() {
				http.Error(answer, "the claims are not read yet", http.StatusServiceUnavailable)
				return
			}
			next(answer, request)
		}
	}
	mux.HandleFunc("GET /readyz", whole(func(answer http.ResponseWriter, _ *http.Request) { fmt.Fprintln(answer, "ok") }))
	mux.HandleFunc("GET /metrics", whole(func(answer http.ResponseWriter, _ *http.Request) {
		answer.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		claims := []*resource.ResourceClaim{}
		for _, object := range store.List() {
			claims = append(claims, object.(*resource.ResourceClaim))
		}
		write(answer, claims)
	}))
	return mux
}

func main() {
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
	claims := cache.NewListWatchFromClient(client.ResourceV1().RESTClient(), "resourceclaims", "", fields.Everything())
	informer := cache.NewSharedInformer(claims, &resource.ResourceClaim{}, 0)
	if err := informer.SetTransform(trim); err != nil {
		log.Fatal(err)
	}
	go informer.Run(stop.Done())
	server := &http.Server{
		Addr: address, Handler: handler(informer.GetStore(), informer.HasSynced), ReadHeaderTimeout: 5 * time.Second,
	}
	go func() {
		<-stop.Done()
		_ = server.Close()
	}()
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		log.Fatal(err)
	}
}
