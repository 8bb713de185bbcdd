// Package deploycheck holds the files that run the program to what the program is:
// docker-compose.yml and everything in deploy. It is tests only.
//
//	compose_test.go     docker-compose.yml, by the parts of its specification that we use
//	image_test.go       the Dockerfile and what it lets into an image
//	hosts_test.go       the systemd unit, and the manifests for Kubernetes
//	rules_test.go       Prometheus's configuration and alert rules; promtool runs when it is there
//	dashboard_test.go   Grafana's dashboard and what provisions it
//	queries_test.go     takes a PromQL query apart
//	exposition_test.go  what the program exports, to compare queries with
//	files_test.go       reading the files
//
// # Why this way
//
// Such files rot unseen: a metric gets another name, and its panel is empty from
// then on, its alert silent. So each name, label and label value in a query must be
// one that the program exports, each path and port one that it serves, each grace
// period longer than the shutdown takes, each file that is mounted there.
//
// What it can't show is that Docker, Grafana or Kubernetes take the files: none of
// them is at hand in a test. Their schemas would be, but as dependencies of ten
// times the program's size.
package deploycheck
