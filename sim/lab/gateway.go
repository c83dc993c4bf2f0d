package lab

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"time"

	"github.com/unilb/unilb/topology"
)

// HTTPPort is where a gateway listens on its own address, beside the listeners
// that tenants create.
const HTTPPort = 80

// HTTPSPort is where a gateway that speaks TLS listens on its own address.
const HTTPSPort = 443

// Facts are what a gateway has to be told about its lab.
type Facts struct {
	BinDir string
	Dir    string   // a directory of the node's own, for files; it exists
	Etcd   []string // client URLs of the region's store
	Prefix string   // of the configuration in the store
}

// A Command is how a process is started.
type Command struct {
	Path string
	Args []string
	Env  map[string]string
	Dir  string // working directory; "": that of the lab
	// Ready is the URL that answers 200 when it serves, or "tcp://address:port" that
	// then takes connections; "": it tells by sd_notify.
	Ready string
	// Within is how long a gateway may take until it is ready; 0: as long as its
	// stage.
	Within time.Duration
	// Terminal says that standard input is a terminal of the command's own; see
	// proc.Spec.
	Terminal bool
}

// A GatewayFunc says how the gateway under test is started in a node.
type GatewayFunc func(topology.Node, Facts) (Command, error)

// GatewayBinary is the program of our own gateway.
const GatewayBinary = "l7gw"

// L7GW starts our own gateway.
func L7GW(n topology.Node, f Facts) (Command, error) {
	args := []string{
		"--node", string(n.Ref), "--zone", n.Zone, "--region", n.Region,
		"--etcd", strings.Join(f.Etcd, ","), "--prefix", f.Prefix,
		"--listen", netip.AddrPortFrom(n.Underlay, HTTPPort).String(),
		"--status-listen", fmt.Sprintf(":%d", topology.L7StatusPort),
		"--underlay", n.Underlay.String(),
		"--drain-timeout", "30s",
	}
	if n.Member.IsValid() {
		args = append(args, "--member-address", n.Member.String())
	}
	return Command{Path: filepath.Join(f.BinDir, GatewayBinary), Args: args}, nil
}

// A ForeignGateway says that a plan wants a gateway which the caller did not say
// how to start. Nothing was built.
type ForeignGateway struct {
	Node   topology.Ref
	Driver string
}

func (e *ForeignGateway) Error() string {
	return fmt.Sprintf("gateway %q of %s: a lab by itself starts only %s; judge others with: lbsim conform --gateway %s",
		e.Driver, e.Node, ownDriver, e.Driver)
}

// ownDriver is the name under which plans ask for our own gateway.
const ownDriver = "l7gw"

// CheckGateways finds gateways that L7GW cannot start. The error is
// *ForeignGateway.
func CheckGateways(p *topology.Plan) error {
	for _, n := range p.Nodes {
		for _, proc := range n.Processes {
			if proc.Gateway && proc.Driver != "" && proc.Driver != ownDriver {
				return &ForeignGateway{Node: n.Ref, Driver: proc.Driver}
			}
		}
	}
	return nil
}
