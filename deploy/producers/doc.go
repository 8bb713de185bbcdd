// Package producers holds programs to copy, one folder a language, that write the
// connector's events in the formats that it reads, with the serializers that people
// use there:
//
//	java         kafka-clients, Apicurio's serializer, classes made of the schema
//	python       confluent-kafka with its AvroSerializer, the CloudEvents SDK
//	go           franz-go, its schema registry client, goavro
//	javascript   KafkaJS with Confluent's serializer
//
// All write the same three events, so that their bytes can be compared. Each takes
// the format and the topic as arguments, and where Kafka and the registry are from
// the environment.
//
// The package itself is a test only, of the build tag "producers". It installs what
// each program names, runs it against a real Kafka and a real registry, reads the
// topic with the connector's own parts, and compares what comes out. That others
// write what we read, no test of ours alone could show: it would agree with itself.
//
//	producers_test.go  what each record must be
//	evolution_test.go  a schema that changes while records are there
//	languages_test.go  how each program is installed and run
package producers
