package fault

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// A Kind is one entry of the catalogue of faults.
type Kind struct {
	Name    string // the type tag, and the word of the command line
	Peer    string // what a peer of the broken part can observe
	Example string // the words after "lbsim inject"
	Fields  []Field
	typ     reflect.Type
}

// catalogue holds every fault there is.
var catalogue = []Kind{
	kindOf[Kill]("connections are reset, new ones refused", "kill bj/az1/l7-1 gateway"),
	kindOf[Stop]("what was begun is finished, then connections end and new ones are refused", "stop bj/az1/l7-1 gateway"),
	kindOf[Freeze]("connections open and data is acknowledged, but nobody answers", "freeze bj/az1/l7-1 gateway"),
	kindOf[PowerOff]("silence: no FIN, no RST, no ICMP", "power-off 'bj/az1/**'"),
	kindOf[AgentCrash]("traffic goes on; no change of a tenant's network arrives", "agent-crash bj/az1/l7-1"),
	kindOf[Partition]("what one side sends the other is lost", "partition 'bj/az1/**' 'bj/az2/**' a-to-b"),
	kindOf[LinkDown]("the other end loses its carrier, and what is sent there is lost", "link-down bj/az1/l7-1--bj/az1/router a"),
	kindOf[RateLimit]("throughput ends at the rate, and packets wait in a queue before it", "rate-limit bj/az1/l7-1--bj/az1/router 10000000"),
	kindOf[Impair]("frames come late, twice, damaged, out of order or not at all", "impair bj/az1/router--bj/az2/router delay=20ms loss=0.01"),
	kindOf[Backend]("answers that are late, cut, no HTTP or errors", "backend idc/bj/blue-1 garbage"),
	kindOf[ExhaustFDs]("the handshake ends, then nobody answers; connections that were there go on", "exhaust-fds bj/az1/l7-1 gateway"),
	kindOf[ExhaustPorts]("what needs a new connection from there fails at once; connections that were there go on", "exhaust-ports bj/az1/l7-1"),
	kindOf[ExhaustConnections]("nothing, while members stay: flows that the table forgot follow the ring; those to a member that drains are reset", "exhaust-connections bj/az1/l4-1"),
	kindOf[PinLoss]("silence behind the node: a gateway reaches no tenant, an L4 node forwards nothing and is taken out", "pin-loss bj/az1/l7-1 lbc-agent"),
	kindOf[EtcdCompact]("watches that are behind end, and their owners must read everything again", "etcd-compact bj"),
	kindOf[EtcdLoseQuorum]("writes and reads that must be right time out; reads that may be old are answered", "etcd-lose-quorum bj"),
	kindOf[EtcdLeaderLoss]("writes fail or wait until another member leads, about a second", "etcd-leader-loss bj freeze"),
	kindOf[EtcdBackup]("every call is refused, and the past is kept", "etcd-backup bj"),
	kindOf[EtcdRestore]("every call is refused, and then the store knows nothing newer than its backup", "etcd-restore bj"),
	kindOf[EtcdReplace]("its connections are reset and new ones refused, until another member serves there", "etcd-replace bj/az1/etcd-e1"),
	kindOf[EtcdSlowDisk]("writes are late by the delay; a slow leader makes all of them late, a slow follower none", "etcd-slow-disk bj/az1/etcd-e1 200ms"),
	kindOf[ExhaustDisk]("etcd ends when it needs more room: connections are reset and new ones refused", "exhaust-disk bj/az1/etcd-e1"),
}

func kindOf[F Fault](peer, example string) Kind {
	var f F
	t := reflect.TypeFor[F]()
	return Kind{Name: f.Kind(), Peer: peer, Example: example, Fields: fieldsOf(t), typ: t}
}

// Kinds returns the catalogue, in its own order. Callers do not change it.
func Kinds() []Kind { return catalogue }

// KindOf returns the entry with the name. The error lists the names there are.
func KindOf(name string) (Kind, error) {
	i := slices.IndexFunc(catalogue, func(k Kind) bool { return k.Name == name })
	if i < 0 {
		var names []string
		for _, k := range catalogue {
			names = append(names, k.Name)
		}
		return Kind{}, fmt.Errorf("no fault %q; there are: %s", name, strings.Join(names, ", "))
	}
	return catalogue[i], nil
}

// New returns a pointer to a zero value of the fault, for decoders to fill in.
func (k Kind) New() any { return reflect.New(k.typ).Interface() }

// Of is the Fault that a pointer made by New points to, once it is filled in.
func Of(pointer any) Fault { return reflect.ValueOf(pointer).Elem().Interface().(Fault) }
