package lbc

import (
	"net/netip"
	"strconv"

	"github.com/unilb/unilb/impl/vpc"
)

// Our keys in etcd. Below statePrefix is everything that conditions of our
// commits refer to, so that one watch sees it in the order of its revisions.
const (
	statePrefix     = "/unilb/lbc/state/"
	headKey         = statePrefix + "head"       // written with every change of the model
	modelPrefix     = statePrefix + "model/"     // + kind + ids: tenant objects
	unitPrefix      = statePrefix + "units/"     // + kind + id: what awaits publication
	addressPrefix   = statePrefix + "addresses/" // + unique IP: its record
	ownerPrefix     = statePrefix + "owners/"    // + VNI + address: the guest's unique IP
	operationPrefix = "/unilb/lbc/operations/"   // + id
	replicaPrefix   = "/unilb/lbc/replicas/"     // + instance, under a lease
)

// Where what we publish outside the Admin API lies.
const (
	listenerPrefix = "/unilb/listeners/" // + <lb>.<listener>
	vipPrefix      = "/unilb/l4/vips/"   // + address
)

// Directories by which nodes are judged: an operation counts a node when the
// node watches one that the operation touched.
const (
	dirRoutes    = "/apisix/routes"
	dirServices  = "/apisix/services"
	dirUpstreams = "/apisix/upstreams"
	dirListeners = "/unilb/listeners"
	dirNetworks  = "/unilb/vpc/networks"
	dirPorts     = "/unilb/vpc/ports"
	dirMappings  = "/unilb/vpc/mappings"
	dirVIPs      = "/unilb/l4/vips"
)

func addressKey(a netip.Addr) string { return addressPrefix + a.String() }

func ownerKey(o vpc.Owner) string {
	return ownerPrefix + strconv.FormatUint(uint64(o.VNI), 10) + "/" + o.IP.String()
}
