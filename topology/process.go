package topology

import (
	"fmt"
	"net/netip"
	"strings"
)

// Ports of the systems under test and of the lab's backends.
const (
	EtcdClientPort = 2379
	EtcdPeerPort   = 2380
	AdminPort      = 9180 // l7admin
	AdminTLSPort   = 9443 // l7admin, with TLS and certificates of clients
	APIPort        = 9095 // lbc-api
	L7StatusPort   = 9092
	AgentPort      = 9093 // status of lbc-agent
	L4StatusPort   = 9094
	AdminStatus    = 9096
	VXLANPort      = 4789 // UDP: gateways and hosts
	L4TunnelPort   = 4790 // UDP: L4 to gateways and l7admin
	EchoPort       = 8080 // backends on IDC servers and guests
)

// Names of processes (Process.Name). Each is its binary's, but for the gateway,
// which may be anybody's.
const (
	ProcEtcd    = "unilb-etcd"
	ProcAdmin   = "l7admin"
	ProcAPI     = "lbc-api"
	ProcL4      = "l4lb"
	ProcAgent   = "lbc-agent"
	ProcGateway = "gateway"
)

// Keys of the control plane of a lab.
const (
	AdminKey  = "lab-admin-key"  // X-API-KEY of l7admin
	ViewerKey = "lab-viewer-key" // one that may only read
	APIKey    = "lab-api-key"    // X-API-KEY of lbc-api
)

// PathAdmin is the Path of the VIP of a region's l7admin.
const PathAdmin = "admin"

const adminSuffix = "-admin" // name of that VIP: "bj-admin"

// Stages of the start.
const (
	stageStore   = 0 // etcd
	stageFabric  = 1 // l7admin, L4, hosts: they need the store
	stageService = 2 // gateways and lbc-api: they need what is before
)

func etcdProcess(n *Node, name, cluster string) Process {
	return Process{Name: ProcEtcd, Binary: ProcEtcd, Stage: stageStore, Args: []string{
		"--name", name,
		"--data-dir", "/run/lab/" + string(n.Ref),
		"--listen-client", etcdURL(n.Underlay, EtcdClientPort),
		"--listen-peer", etcdURL(n.Underlay, EtcdPeerPort),
		"--initial-cluster", cluster,
		"--new-cluster=true",
	}}
}

// who is what every registered process is told about its node.
func who(r *regionBuild, n *Node) []string {
	return []string{"--node", string(n.Ref), "--zone", n.Zone, "--region", n.Region, "--etcd", strings.Join(r.etcd, ",")}
}

// where is its addresses; a node that is not behind L4 has no member address.
func where(n *Node) []string {
	args := []string{"--underlay", n.Underlay.String()}
	if n.Member.IsValid() {
		args = append(args, "--member-address", n.Member.String())
	}
	return args
}

func listen(port int) string { return fmt.Sprintf(":%d", port) }

// Files of an l7admin on its node's disk, which the lab writes before it starts.
const (
	AdminCert     = "admin.pem"   // its certificate
	AdminCertKey  = "admin.key"   // the private key
	AdminClientCA = "clients.pem" // the authority of who may connect with TLS
)

func diskPath(n *Node, file string) string { return "/run/lab/" + string(n.Ref) + "/" + file }

func adminProcesses(r *regionBuild, n *Node) []Process {
	args := append(who(r, n), "--prefix", "/apisix", "--listen", listen(AdminPort), "--status-listen", listen(AdminStatus),
		"--listen-tls", listen(AdminTLSPort), "--tls-cert", diskPath(n, AdminCert), "--tls-key", diskPath(n, AdminCertKey), "--tls-client-ca", diskPath(n, AdminClientCA))
	procs := []Process{{Name: ProcAdmin, Binary: ProcAdmin, Stage: stageFabric,
		Args: append(args, where(n)...), Env: map[string]string{"UNILB_ADMIN_KEY": AdminKey, "UNILB_VIEWER_KEY": ViewerKey}}}
	if n.Member.IsValid() {
		procs = append(procs, agent(r, n, "member", "l7admin", stageFabric))
	}
	return procs
}

// gatewayProcesses are the gateway under test, whose command its driver knows,
// and the agent beside it. Where there is neither L4 nor a host there is nothing
// for an agent to do, and the lab needs no eBPF.
func gatewayProcesses(r *regionBuild, n *Node, driver string) []Process {
	procs := []Process{{Name: ProcGateway, Gateway: true, Driver: driver, Stage: stageService}}
	if n.Member.IsValid() {
		procs = append(procs, agent(r, n, "gateway", "l7gw", stageService))
	}
	return procs
}

func hostAgent(r *regionBuild, n *Node) Process {
	return agent(r, n, "host", "", stageFabric)
}

func agent(r *regionBuild, n *Node, role, pool string, stage int) Process {
	args := append([]string{"--role", role}, who(r, n)...)
	if pool != "" {
		args = append(args, "--pool", pool)
	}
	args = append(args, where(n)...)
	args = append(args, "--uplink", "eth0", "--status-listen", listen(AgentPort), "--pin-dir", pinDir(n))
	return Process{Name: ProcAgent, Binary: ProcAgent, Stage: stage, Args: args}
}

func l4Process(r *regionBuild, n *Node) Process {
	args := append(who(r, n), where(n)...)
	return Process{Name: ProcL4, Binary: ProcL4, Stage: stageFabric, Args: append(args,
		"--uplink", "eth0", "--status-listen", listen(L4StatusPort), "--pin-dir", pinDir(n),
		"--probe-interval", "500ms", "--probe-timeout", "300ms", "--probe-misses", "3")}
}

// apiProcess has the short times of a lab: production drains for a minute and
// keeps an address in quarantine for ten.
func apiProcess(r *regionBuild, n *Node) Process {
	vip := netip.AddrPortFrom(r.admin, AdminPort).String()
	return Process{Name: ProcAPI, Binary: ProcAPI, Stage: stageService,
		Args: []string{
			"--node", string(n.Ref), "--etcd", strings.Join(r.etcd, ","), "--listen", listen(APIPort),
			"--admin-url", "http://" + vip, "--admin-vip", vip, "--unique-pool", uniquePool.String(),
			"--drain", "2s", "--quarantine", "5s",
		},
		Env: map[string]string{"UNILB_ADMIN_KEY": AdminKey, "UNILB_API_KEY": APIKey}}
}

func pinDir(n *Node) string { return "/sys/fs/bpf/" + string(n.Ref) }
