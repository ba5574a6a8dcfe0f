// Package e2e runs Kubernetes' own NetworkPolicy specs, nothing else, as the oracle of the sandbox's enforcement.
package e2e

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	// The client's log flags and the framework's node and feature hooks register themselves.
	_ "k8s.io/component-base/logs/testinit"
	_ "k8s.io/kubernetes/test/e2e/feature"
	_ "k8s.io/kubernetes/test/e2e/framework/node/init"
	// The specs.
	_ "k8s.io/kubernetes/test/e2e/network/netpol"

	"k8s.io/kubernetes/test/e2e/common"
	"k8s.io/kubernetes/test/e2e/framework"
	"k8s.io/kubernetes/test/e2e/framework/config"
)

// TestMain takes the framework's flags: -kubeconfig, -provider=skeleton, -ginkgo.focus and so on.
func TestMain(m *testing.M) {
	for _, register := range []func(*flag.FlagSet){
		func(flags *flag.FlagSet) { config.CopyFlags(config.Flags, flags) },
		framework.RegisterCommonFlags,
		framework.RegisterClusterFlags,
	} {
		register(flag.CommandLine)
	}
	flag.Parse()
	if framework.TestContext.KubeConfig == "" {
		fmt.Fprintln(os.Stderr, "-kubeconfig is wanted: the specs create and delete namespaces in that cluster")
		os.Exit(2)
	}
	framework.AfterReadingAllFlags(&framework.TestContext)
	os.Exit(m.Run())
}

// TestNetworkPolicy runs the specs that the flags choose.
func TestNetworkPolicy(t *testing.T) {
	common.CurrentSuite = common.E2E
	gomega.RegisterFailHandler(framework.Fail)
	suite, reporter := framework.CreateGinkgoConfig()
	ginkgo.RunSpecs(t, "NetworkPolicy specs of Kubernetes", suite, reporter)
}
