package lbc

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

type refusal struct {
	ErrorMsg string `json:"error_msg"`
	Field    string `json:"field"`
}

func TestRequestsAreRefusedWithTheirField(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	a := r.replica(nil, nil)
	a.tenants()
	a.inForce(a.shop("shop", "red", "203.0.113.10", 80))
	a.inForce(a.put("load-balancers/mart", `{"tenant":"red","address":"203.0.113.10"}`))
	long := strings.Repeat(`{"ip":"10.9.0.1","port":80},`, maxTargetsPerGroup)
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		field, text              string
	}{
		{"misspelt field", "PUT", "load-balancers/x", `{"tenant":"t","addrss":"203.0.113.1"}`, 400, "addrss", `did you mean "address"`},
		{"misspelt nested field", "PUT", "target-groups/x", `{"tenant":"t","targets":[{"ip":"10.9.0.1","prot":80}]}`, 400, "targets[0].prot", `did you mean "port"`},
		{"unknown field", "PUT", "load-balancers/x", `{"tenant":"t","address":"203.0.113.1","colour":"red"}`, 400, "colour", "unknown field"},
		{"other case", "PUT", "load-balancers/x", `{"Tenant":"t","address":"203.0.113.1"}`, 400, "Tenant", `did you mean "tenant"`},
		{"field twice", "PUT", "load-balancers/x", `{"tenant":"t","tenant":"u","address":"203.0.113.1"}`, 400, "tenant", "twice"},
		{"null", "PUT", "load-balancers/x", `{"tenant":null,"address":"203.0.113.1"}`, 400, "tenant", "null"},
		{"wrong type", "PUT", "load-balancers/shop/listeners/x", `{"protocol":"http","port":"80"}`, 400, "port", "want an integer"},
		{"port too large", "PUT", "load-balancers/shop/listeners/x", `{"protocol":"http","port":65536}`, 400, "port", "integer"},
		{"not JSON", "PUT", "load-balancers/x", `{"tenant":`, 400, "tenant", "not JSON"},
		{"no body", "PUT", "load-balancers/x", ``, 400, "", "ends early"},
		{"an array", "PUT", "load-balancers/x", `[]`, 400, "", "want a JSON object"},
		{"two objects", "PUT", "load-balancers/x", `{"tenant":"t","address":"203.0.113.1"}{}`, 400, "", "goes on"},
		{"body too long", "PUT", "load-balancers/x", strings.Repeat(" ", maxBodyBytes+1), 413, "", "longer"},
		{"bad address", "PUT", "load-balancers/x", `{"tenant":"t","address":"203.0.113.300"}`, 400, "address", ""},
		{"other id in the body", "PUT", "load-balancers/x", `{"id":"y","tenant":"t","address":"203.0.113.1"}`, 400, "id", ""},
		{"upper-case id", "PUT", "load-balancers/X", `{}`, 400, "id", "a-z"},
		{"id of 19 characters", "PUT", "load-balancers/abcdefghijklmnopqrs", `{}`, 400, "id", "18"},
		{"unique IP as EIP", "PUT", "load-balancers/x", `{"tenant":"t","address":"100.64.0.9"}`, 400, "address", "unique IPs"},
		{"unique IP as IDC target", "PUT", "target-groups/x", `{"tenant":"t","targets":[{"ip":"100.64.0.9","port":80}]}`, 400, "targets[0].ip", "unique IPs"},
		{"EIP of another tenant", "PUT", "load-balancers/x", `{"tenant":"blue","address":"203.0.113.10"}`, 409, "address", "another tenant's load-balancers/mart"},
		{"tenant of a shared EIP", "PUT", "load-balancers/mart", `{"tenant":"blue","address":"203.0.113.10"}`, 409, "address", "another tenant's load-balancers/shop"},
		{"port of a status listener", "PUT", "load-balancers/shop/listeners/x", `{"protocol":"http","port":9093}`, 400, "port", "all addresses of their nodes"},
		{"port of etcd", "PUT", "load-balancers/shop/listeners/x", `{"protocol":"http","port":2379}`, 400, "port", "etcd"},
		{"port of the Admin API", "PUT", "load-balancers/shop/listeners/x", `{"protocol":"http","port":9180}`, 400, "port", "Admin API"},
		{"VPC over the unique IPs", "PUT", "vpcs/x", `{"vni":9,"cidr":"100.64.0.0/16"}`, 400, "cidr", "overlaps"},
		{"VNI of another VPC", "PUT", "vpcs/x", `{"vni":1001,"cidr":"10.0.0.0/24"}`, 409, "vni", "vpcs/red"},
		{"VPC that does not exist", "PUT", "target-groups/x", `{"tenant":"t","vpc":"gone","targets":[]}`, 400, "vpc", "gone"},
		{"target outside the VPC", "PUT", "target-groups/x", `{"tenant":"t","vpc":"red","targets":[{"ip":"192.168.1.10","port":80}]}`, 400, "targets[0].ip", "192.168.0.0/24"},
		{"target without port", "PUT", "target-groups/x", `{"tenant":"t","vpc":"red","targets":[{"ip":"192.168.0.10","port":80},{"ip":"192.168.0.99","port":80}]}`, 400, "targets[1].ip", "no port"},
		{"same target twice", "PUT", "target-groups/x", `{"tenant":"t","targets":[{"ip":"10.9.0.1","port":80},{"ip":"10.9.0.1","port":80}]}`, 400, "targets[1]", "twice"},
		{"too many targets", "PUT", "target-groups/x", `{"tenant":"t","targets":[` + long + `{"ip":"10.9.0.2","port":80}]}`, 400, "targets", "at most"},
		{"weight", "PUT", "target-groups/x", `{"tenant":"t","targets":[{"ip":"10.9.0.1","port":80,"weight":-1}]}`, 400, "targets[0].weight", ""},
		{"health check without type", "PUT", "target-groups/x", `{"tenant":"t","targets":[],"health_check":{}}`, 400, "health_check.type", ""},
		{"path of a tcp check", "PUT", "target-groups/x", `{"tenant":"t","targets":[],"health_check":{"type":"tcp","path":"/"}}`, 400, "health_check.path", ""},
		{"fall", "PUT", "target-groups/x", `{"tenant":"t","targets":[],"health_check":{"type":"tcp","fall":255}}`, 400, "health_check.fall", "254"},
		{"rule without paths", "PUT", "load-balancers/shop/listeners/web/rules/x", `{"target_group":"red"}`, 400, "paths", ""},
		{"star inside a path", "PUT", "load-balancers/shop/listeners/web/rules/x", `{"paths":["/a*b"],"target_group":"red"}`, 400, "paths[0]", ""},
		{"upper-case host", "PUT", "load-balancers/shop/listeners/web/rules/x", `{"hosts":["A.example"],"paths":["/"],"target_group":"red"}`, 400, "hosts[0]", ""},
		{"unknown method", "PUT", "load-balancers/shop/listeners/web/rules/x", `{"methods":["GET","get"],"paths":["/"],"target_group":"red"}`, 400, "methods[1]", ""},
		{"group that does not exist", "PUT", "load-balancers/shop/listeners/web/rules/x", `{"paths":["/"],"target_group":"gone"}`, 400, "target_group", "gone"},
		{"group of another tenant", "PUT", "load-balancers/shop/listeners/web/rules/x", `{"paths":["/"],"target_group":"blue"}`, 400, "target_group", "another tenant"},
		{"listener of no load balancer", "PUT", "load-balancers/gone/listeners/x", `{"protocol":"http","port":80}`, 404, "", "load-balancers/gone"},
		{"claimed address and port", "PUT", "load-balancers/mart/listeners/x", `{"protocol":"http","port":80}`, 409, "port", "load-balancers/shop/listeners/web"},
		{"claimed by itself", "PUT", "load-balancers/shop/listeners/x", `{"protocol":"http","port":80}`, 409, "port", "load-balancers/shop/listeners/web"},
		{"gateway of the VPC", "PUT", "vpcs/red/ports/192.168.0.1", `{"mac":"02:00:00:00:00:01","host":"h","vtep":"10.0.0.1","ifname":"g"}`, 400, "id", "gateway"},
		{"port outside its VPC", "PUT", "vpcs/red/ports/192.168.1.2", `{"mac":"02:00:00:00:00:01","host":"h","vtep":"10.0.0.1","ifname":"g"}`, 400, "id", "192.168.0.0/24"},
		{"broken MAC", "PUT", "vpcs/red/ports/192.168.0.2", `{"mac":"02:00","host":"h","vtep":"10.0.0.1","ifname":"g"}`, 400, "mac", ""},
		{"VPC with ports", "DELETE", "vpcs/red", "", 409, "", "vpcs/red/ports/192.168.0.10"},
		{"port with a target group", "DELETE", "vpcs/red/ports/192.168.0.10", "", 409, "", "target-groups/red"},
		{"group with a rule", "DELETE", "target-groups/red", "", 409, "", "load-balancers/shop/listeners/web/rules/all"},
		{"listener with a rule", "DELETE", "load-balancers/shop/listeners/web", "", 409, "", "rules/all"},
		{"load balancer with a listener", "DELETE", "load-balancers/shop", "", 409, "", "listeners/web"},
		{"VNI of a VPC in use", "PUT", "vpcs/red", `{"vni":7,"cidr":"192.168.0.0/24"}`, 409, "", "ports/192.168.0.10"},
		{"nothing there", "DELETE", "load-balancers/gone", "", 404, "", "load-balancers/gone"},
		{"get nothing", "GET", "load-balancers/gone", "", 404, "", ""},
		{"list of nothing", "GET", "load-balancers/gone/listeners", "", 404, "", ""},
		{"other method", "POST", "load-balancers", `{}`, 405, "", ""},
		{"no such path", "GET", "loadbalancers", "", 404, "", ""},
		{"operation that is not", "GET", "operations/gone", "", 404, "", ""},
		{"broken wait", "GET", "operations/x?wait=soon", "", 400, "wait", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got refusal
			status, header := a.do(c.method, "/v1/"+c.path, c.body, &got)
			if status != c.status || got.Field != c.field || got.ErrorMsg == "" || !strings.Contains(got.ErrorMsg, c.text) {
				t.Errorf("got %d %+v, want %d, field %q, %q in the text", status, got, c.status, c.field, c.text)
			}
			if header.Get(requestIDHeader) == "" {
				t.Error("no request id in the answer")
			}
		})
	}
	assertPublished(t, r, a)
}

func TestKeyIsRequired(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	a := r.replica(nil, nil)
	for _, key := range []string{"", "wrong", testAPIKey + "x"} {
		req, _ := http.NewRequest("GET", a.url+"/v1/vpcs", nil)
		if key != "" {
			req.Header.Set("X-API-KEY", key)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusUnauthorized || resp.Header.Get(requestIDHeader) == "" {
			t.Errorf("key %q: got %d, want 401 with a request id", key, resp.StatusCode)
		}
	}
	resp, err := http.Get(a.url + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("healthz: got %d, want 200 without a key", resp.StatusCode)
	}
	if s := r.replica(func(o *Options) { o.APIKey = "" }, nil); true {
		if status, _ := s.do("GET", "/v1/vpcs", "", nil); status != http.StatusUnauthorized {
			t.Errorf("without a configured key: got %d, want 401", status)
		}
	}
}

func TestObjectsAreListedAndComeBackAsStored(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	a, b := r.replica(nil, nil), r.replica(nil, nil)
	a.tenants()
	a.shop("shop", "red", "203.0.113.10", 80)
	a.put("load-balancers/shop-2", `{"tenant":"red","address":"203.0.113.11"}`)
	for _, c := range []struct {
		path  string
		total int
		want  string
	}{
		{"vpcs", 2, `{"id":"red","vni":1001,"cidr":"192.168.0.0/24"}`},
		{"vpcs/red/ports", 1, `{"id":"192.168.0.10","mac":"02:00:00:00:00:10","host":"bj/az1/host-0","vtep":"10.101.4.9","ifname":"g0"}`},
		{"load-balancers", 2, `{"id":"shop","tenant":"red","address":"203.0.113.10"}`},
		{"load-balancers/shop/listeners", 1, `{"id":"web","protocol":"http","port":80}`},
		{"load-balancers/shop-2/listeners", 0, ""},
		{"load-balancers/shop/listeners/web/rules", 1, `{"id":"all","paths":["/*"],"priority":0,"target_group":"red"}`},
		{"target-groups", 2, `{"id":"red","tenant":"red","vpc":"red","targets":[{"ip":"192.168.0.10","port":8080,"weight":1}]}`},
	} {
		var list struct {
			List  []json.RawMessage `json:"list"`
			Total int               `json:"total"`
		}
		if status, _ := b.do("GET", "/v1/"+c.path, "", &list); status != 200 || list.Total != c.total || len(list.List) != c.total || list.List == nil {
			t.Errorf("%s: got %d, %d of %d, want %d", c.path, status, len(list.List), list.Total, c.total)
		}
		found := c.want == ""
		for _, item := range list.List {
			found = found || string(item) == c.want
		}
		if !found {
			t.Errorf("%s: got %s, want %s among them", c.path, list.List, c.want)
		}
	}
	// What GET answers may be put back as it is.
	var tg json.RawMessage
	_, header := b.do("GET", "/v1/target-groups/red", "", &tg)
	if header.Get("ETag") == "" {
		t.Error("no ETag")
	}
	b.put("target-groups/red", string(tg))
}

func TestReplicaThatLagsDoesNotRefuse(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	replicas := []*replica{r.replica(nil, nil), r.replica(nil, nil)}
	for i := range 30 {
		a, b := replicas[i%2], replicas[1-i%2]
		vpc := fmt.Sprintf("v%d", i)
		a.put("vpcs/"+vpc, fmt.Sprintf(`{"vni":%d,"cidr":"10.0.0.0/24"}`, i+1))
		b.put("target-groups/"+vpc, `{"tenant":"t","vpc":"`+vpc+`","targets":[]}`)
		a.del("target-groups/" + vpc)
		b.del("vpcs/" + vpc)
	}
}

func TestIfMatchRefusesALostUpdate(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	a := r.replica(nil, nil)
	put := func(match, body string) int {
		req, _ := http.NewRequest("PUT", a.url+"/v1/target-groups/x", strings.NewReader(body))
		req.Header.Set("X-API-KEY", testAPIKey)
		req.Header.Set("If-Match", match)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	body := `{"tenant":"t","targets":[]}`
	if got := put("0", body); got != http.StatusAccepted {
		t.Fatalf("create: got %d", got)
	}
	if got := put("0", body); got != http.StatusPreconditionFailed {
		t.Errorf("create again: got %d, want 412", got)
	}
	_, header := a.do("GET", "/v1/target-groups/x", "", nil)
	if got := put(header.Get("ETag"), body); got != http.StatusAccepted {
		t.Errorf("with the current ETag: got %d, want 202", got)
	}
	if got := put(header.Get("ETag"), body); got != http.StatusPreconditionFailed {
		t.Errorf("with an old ETag: got %d, want 412", got)
	}
}

func TestPortThatMovesTakesItsMappingAlong(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	r.node("lbc-agent", "bj/az1/l7-1", "/unilb/vpc")
	a := r.replica(nil, nil)
	a.tenants()
	a.inForce(a.put("target-groups/red", `{"tenant":"red","vpc":"red","targets":[{"ip":"192.168.0.10","port":8081}]}`))
	var u apiUpstream
	r.get("/apisix/upstreams/lbc.red", &u)
	op := a.inForce(a.put("vpcs/red/ports/192.168.0.10", `{"mac":"02:00:00:00:0f:10","host":"bj/az2/host-7","vtep":"10.102.4.77","ifname":"g3"}`))
	if op.Nodes != 1 || op.Revisions["/unilb/vpc"] == 0 {
		t.Errorf("got %+v, want one agent", op)
	}
	var m struct {
		VTEP       string `json:"vtep"`
		MAC        string `json:"mac"`
		Generation int    `json:"generation"`
	}
	r.get("/unilb/vpc/mappings/"+u.Nodes[0].Host, &m)
	if m.VTEP != "10.102.4.77" || m.MAC != "02:00:00:00:0f:10" || m.Generation != 1 {
		t.Errorf("got mapping %+v, want the new host in the same generation", m)
	}
	var p struct {
		VTEP string `json:"vtep"`
		VNI  int    `json:"vni"`
	}
	r.get("/unilb/vpc/ports/1001/192.168.0.10", &p)
	if p.VTEP != "10.102.4.77" || p.VNI != 1001 {
		t.Errorf("got port %+v", p)
	}
}

func TestOperationOnAVPCCountsAgents(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	r.node("host", "bj/az1/host-1", "/unilb/vpc", "/unilb/nodes")
	r.node("l7gw", "bj/az1/l7-1", "/apisix")
	a := r.replica(nil, nil)
	op := a.inForce(a.put("vpcs/red", `{"vni":1001,"cidr":"192.168.0.0/24"}`))
	if op.Nodes != 1 || op.InForce != 1 || len(op.Revisions) != 1 || op.Revisions["/unilb/vpc"] == 0 {
		t.Errorf("got %+v, want /unilb/vpc on 1 of 1", op)
	}
}

func TestOperationsAreForgotten(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	a := r.replica(nil, nil)
	old := newOperation("put", tgRef("old"), time.Now().Add(-2*maxOperationAge))
	old.State = stateInForce
	going := newOperation("put", tgRef("going"), time.Now().Add(-2*maxOperationAge))
	young := newOperation("put", tgRef("young"), time.Now())
	young.State = stateInForce
	for _, o := range []opRecord{old, going, young} {
		if err := a.saveOperation(t.Context(), o, 0); err != nil {
			t.Fatal(err)
		}
	}
	a.pruneOperations(t.Context(), time.Now())
	for o, want := range map[string]bool{old.key(): false, going.key(): true, young.key(): true} {
		if _, ok := r.get(o, nil); ok != want {
			t.Errorf("%s: got %t, want %t", o, ok, want)
		}
	}
}

func TestManyTargetsArePublishedInSeveralCommits(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	a := r.replica(nil, nil)
	a.put("vpcs/red", `{"vni":1001,"cidr":"10.0.0.0/16"}`)
	const n = addressesPerCommit*2 + 5
	var targets []string
	for i := range n {
		ip := fmt.Sprintf("10.0.1.%d", i+1)
		a.put("vpcs/red/ports/"+ip, fmt.Sprintf(`{"mac":"02:00:00:00:01:%02x","host":"h","vtep":"10.101.4.9","ifname":"g%d"}`, i+1, i))
		targets = append(targets, fmt.Sprintf(`{"ip":%q,"port":80}`, ip))
	}
	a.inForce(a.put("target-groups/big", `{"tenant":"t","vpc":"red","targets":[`+strings.Join(targets, ",")+`]}`))
	var u apiUpstream
	r.get("/apisix/upstreams/lbc.big", &u)
	hosts := make(map[string]bool)
	for _, node := range u.Nodes {
		hosts[node.Host] = true
	}
	if len(hosts) != n {
		t.Errorf("got %d unique IPs for %d guests", len(hosts), n)
	}
	assertPublished(t, r, a)
	a.inForce(a.del("target-groups/big"))
	r.until("all mappings are gone", func() bool {
		kvs, _, err := r.st.List(t.Context(), "/unilb/vpc/mappings")
		return err == nil && len(kvs) == 0
	})
}

func FuzzStrictDecodingAgreesWithTheLibrary(f *testing.F) {
	for _, s := range []string{
		`{"tenant":"t","vpc":"red","targets":[{"ip":"10.0.0.1","port":80,"weight":1}],"health_check":{"type":"tcp"}}`,
		`{"tenant":"t","targets":[{"ip":"10.0.0.1","prot":80}]}`, `{"a":{"b":[1,2,{"c":null}]}}`, `[]`, `{"tenant":"t"}x`, `{"targets":{}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var strict, library TargetGroup
		if decodeStrict(b, &strict) != nil {
			return
		}
		d := json.NewDecoder(strings.NewReader(string(b)))
		d.DisallowUnknownFields()
		if err := d.Decode(&library); err != nil {
			t.Fatalf("%q was accepted; the library says %v", b, err)
		}
		x, _ := json.Marshal(strict)
		y, _ := json.Marshal(library)
		if string(x) != string(y) {
			t.Errorf("got %s, want %s", x, y)
		}
	})
}
