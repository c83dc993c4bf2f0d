package labenv

import (
	"cmp"
	"fmt"
	"path/filepath"

	"github.com/unilb/unilb/conformance/driver"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/topology"
)

// Variables by which compiled scenarios are told which gateway to start; without
// them it is what the topology says, from $UNILB_BIN.
const (
	driverVariable = "UNILB_GATEWAY"
	binaryVariable = "UNILB_GATEWAY_BINARY"
)

// Asked is the gateway that somebody wants scenarios to start in the place of what
// their topology says; the zero value is none.
type Asked struct {
	Driver string // name of a driver, or path of a manifest
	Binary string // file to start in the place of the manifest's program
}

// AskedBy reads the environment of compiled scenarios.
func AskedBy(getenv func(string) string) Asked {
	return Asked{getenv(driverVariable), getenv(binaryVariable)}
}

// asked is the gateway that the run judges.
func (o Options) asked() Asked {
	a := Asked{o.Gateway, o.Binary}
	if isPath(a.Driver) {
		a.Driver, _ = filepath.Abs(a.Driver) // BinDir was made absolute in the same way
	}
	return a
}

// env is what AskedBy reads. Variables that somebody has set to something else do not
// count.
func (a Asked) env() []string {
	return []string{driverVariable + "=" + a.Driver, binaryVariable + "=" + a.Binary}
}

// Flags are those of lbsim that ask for the same.
func (a Asked) Flags() []string {
	var out []string
	for _, f := range []struct{ name, value string }{{"--gateway", a.Driver}, {"--gateway-binary", a.Binary}} {
		if f.value != "" {
			out = append(out, f.name, f.value)
		}
	}
	return out
}

// Check says, before anything is built, why scenarios cannot start the gateway.
func (a Asked) Check() error {
	m, err := loadDriver(cmp.Or(a.Driver, lab.GatewayBinary))
	if err != nil {
		return err
	}
	return scenariosCan(m)
}

// Gateways says how a lab of the plan starts the gateway.
func (a Asked) Gateways(plan *topology.Plan) (lab.GatewayFunc, error) {
	return Gateways(plan, a.Driver, a.Binary)
}

// scenariosCan refuses gateways of which scenarios could not change anything.
func scenariosCan(m *driver.Manifest) error {
	if m.Static() {
		return fmt.Errorf("scenarios: gateway %s reads its configuration from files, and scenarios change it by the Admin API; run them with l7gw or l7gw-std", m.Name)
	}
	return nil
}
