package cases

import (
	"flag"
	"os"
	"testing"
)

// proofsAtOnce is how many gateways are judged at the same time: they wait for
// each other's time limits much more than they compute.
const proofsAtOnce = "10"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", proofsAtOnce); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
