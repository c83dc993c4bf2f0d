//go:build scenarios

// Package scenarios holds the incidents that the load balancer must survive,
// each as one spec that brings up its own region, lets things go wrong and
// judges the record. Run them with make scenarios; they need root.
package scenarios

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/unilb/unilb/scenarios/kit"
	"github.com/unilb/unilb/sim/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

func TestScenarios(t *testing.T) {
	sandbox.Require(t, "netns", "ebpf")
	if err := kit.Asked().Check(); err != nil {
		t.Fatal(err)
	}
	RegisterFailHandler(Fail)
	RunSpecs(t, "Scenarios")
}
