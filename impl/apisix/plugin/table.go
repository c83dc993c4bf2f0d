package plugin

// flags of an entry of the table.
type flags uint8

const (
	spare      flags = 1 << iota // shipped, but not loaded by default
	guard                        // see Plugin.Guards
	auth                         // finds out the consumer; such plugins guard
	global                       // scope
	stream                       // exists for streams as well
	streamOnly                   // exists for streams alone
	spareThere                   // not loaded by default for streams
)

type entry struct {
	name     string
	priority int
	flags    flags
}

// table is the catalogue of APISIX 3.18, those that run first at the beginning.
var table = []entry{
	{"real-ip", 23000, 0}, {"exit-transformer", 22950, spare}, {"ai", 22900, global}, {"client-control", 22000, guard},
	{"proxy-buffering", 21991, 0}, {"proxy-control", 21990, 0}, {"request-id", 12015, 0}, {"zipkin", 12011, 0},
	{"skywalking", 12010, spare}, {"opentelemetry", 12009, spare},
	{"ext-plugin-pre-req", 12000, guard}, // code of the user's, before anything is let through
	{"fault-injection", 11000, 0}, {"mocking", 10900, 0},
	{"serverless-pre-function", 10000, guard}, // likewise
	{"batch-requests", 4010, spare | global}, {"cors", 4000, 0},

	{"ip-restriction", 3000, guard | stream}, {"ua-restriction", 2999, guard}, {"referer-restriction", 2990, guard},
	{"csrf", 2980, guard}, {"uri-blocker", 2900, guard}, {"request-validation", 2800, guard}, {"chaitin-waf", 2700, guard},

	{"multi-auth", 2600, guard | auth}, {"openid-connect", 2599, guard}, {"saml-auth", 2598, guard}, {"cas-auth", 2597, guard},
	{"authz-casbin", 2560, guard}, {"authz-casdoor", 2559, guard}, {"wolf-rbac", 2555, guard | auth},
	{"ldap-auth-advanced", 2541, guard | auth}, {"ldap-auth", 2540, guard | auth}, {"hmac-auth", 2530, guard | auth},
	{"basic-auth", 2520, guard | auth}, {"jwt-auth", 2510, guard | auth}, {"jwe-decrypt", 2509, guard | auth}, {"key-auth", 2500, guard | auth},
	{"dingtalk-auth", 2430, guard}, {"feishu-auth", 2420, guard}, {"acl", 2410, guard}, {"consumer-restriction", 2400, guard},
	{"attach-consumer-label", 2399, 0}, {"forward-auth", 2002, guard}, {"opa", 2001, guard}, {"authz-keycloak", 2000, guard},

	{"data-mask", 1500, 0}, {"error-log-logger", 1091, spare | global}, {"proxy-cache", 1085, 0}, {"body-transformer", 1080, 0},
	{"ai-request-rewrite", 1073, 0}, {"ai-prompt-guard", 1072, guard}, {"ai-prompt-template", 1071, 0}, {"ai-prompt-decorator", 1070, 0},
	{"ai-rag", 1060, 0}, {"ai-aws-content-moderation", 1050, guard}, {"ai-proxy-multi", 1041, 0}, {"ai-proxy", 1040, 0},
	{"ai-rate-limiting", 1030, guard}, {"ai-aliyun-content-moderation", 1029, guard},
	{"proxy-mirror", 1010, 0}, {"graphql-proxy-cache", 1009, 0}, {"proxy-rewrite", 1008, 0},
	{"workflow", 1006, guard}, {"api-breaker", 1005, 0},
	{"graphql-limit-count", 1004, guard}, {"limit-conn", 1003, guard | stream}, {"limit-count", 1002, guard}, {"limit-req", 1001, guard},
	{"node-status", 1000, spare | global}, {"mqtt-proxy", 1000, streamOnly}, {"brotli", 996, spare}, {"gzip", 995, 0}, {"server-info", 990, spare | global},
	{"traffic-label", 967, 0}, {"traffic-split", 966, stream | spareThere}, {"redirect", 900, 0}, {"response-rewrite", 899, 0},
	{"oas-validator", 512, guard}, {"mcp-bridge", 510, 0}, {"degraphql", 509, 0}, {"kafka-proxy", 508, 0},
	{"dubbo-proxy", 507, spare}, {"grpc-transcode", 506, 0}, {"grpc-web", 505, 0}, {"http-dubbo", 504, 0}, {"public-api", 501, 0},

	{"prometheus", 500, stream | spareThere}, {"datadog", 495, 0}, {"error-page", 450, spare}, {"lago", 415, 0}, {"loki-logger", 414, 0},
	{"elasticsearch-logger", 413, 0}, {"echo", 412, 0}, {"loggly", 411, 0}, {"http-logger", 410, 0}, {"splunk-hec-logging", 409, 0},
	{"skywalking-logger", 408, 0}, {"google-cloud-logging", 407, 0}, {"sls-logger", 406, 0}, {"tcp-logger", 405, 0},
	{"kafka-logger", 403, 0}, {"rocketmq-logger", 402, 0}, {"syslog", 401, stream}, {"udp-logger", 400, 0}, {"file-logger", 399, 0},
	{"clickhouse-logger", 398, 0}, {"tencent-cloud-cls", 397, 0}, {"inspect", 200, 0}, {"log-rotate", 100, spare | global},
	{"example-plugin", 0, 0}, {"gm", -43, spare}, {"ocsp-stapling", -44, spare},
	{"aws-lambda", -1899, 0}, {"azure-functions", -1900, 0}, {"openwhisk", -1901, 0}, {"openfunction", -1902, 0},
	{"serverless-post-function", -2000, 0}, {"ext-plugin-post-req", -3000, 0}, {"ext-plugin-post-resp", -4000, 0},
}

func (e entry) plugin() *Plugin {
	has := func(f flags) bool { return e.flags&f != 0 }
	p := &Plugin{
		Name: e.name, Version: 0.1, Priority: e.priority, Guards: has(guard),
		HTTP: !has(streamOnly), Stream: has(stream | streamOnly),
		Default: !has(spare), DefaultStream: has(stream|streamOnly) && !has(spareThere), extra: extraOf(e.name),
	}
	if has(auth) {
		p.Type = "auth"
	}
	if has(global) {
		p.Scope = "global"
	}
	p.complete(read(e.name))
	return p
}
