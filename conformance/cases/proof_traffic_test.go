package cases

var trafficBugs = map[string][]string{
	"HDR-XFF":                 {"no forwarded-for", "replaces forwarded-for", "believes clients"},
	"HDR-HOP-BY-HOP":          {"copies request headers", "copies response headers", "passes upgrades"},
	"BODY-INTACT":             {"overwrites bodies", "drops chunked bodies", "cuts long bodies", "overwrites answers", "cuts long answers"},
	"LB-WEIGHTED":             {"ignores weights", "serves weight 0", "begins its round with every connection"},
	"RETRY-CONNECT-REFUSED":   {"no retry"},
	"RETRY-POST-NOT-REPEATED": {"repeats everything"},
	"HEALTH-DOWN-UP":          {"ignores the status of probes", "ignores silence", "never takes back"},
}
