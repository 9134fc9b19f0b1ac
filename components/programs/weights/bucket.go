package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

// signedRegion is what S3 stores without regions call theirs; it is part of each signature.
const signedRegion = "us-east-1"

// errMissing is an object that the bucket does not have.
var errMissing = errors.New("the bucket does not have it")

// bucketFlags says where the bucket is and who asks.
type bucketFlags struct {
	endpoint, bucket, credentials, ca string
}

// parse reads the command line of a verb that works with the bucket; `required` are flags of its own without a default.
func (b *bucketFlags) parse(flags *flag.FlagSet, arguments []string, output io.Writer, required ...string) error {
	flags.StringVar(&b.endpoint, "endpoint", "", "address of the object store, such as https://s3.lab.internal:7070")
	flags.StringVar(&b.bucket, "bucket", "", "bucket that holds the weights of the region")
	flags.StringVar(&b.credentials, "credentials", "", `file with {"access_key": ..., "secret_key": ...}`)
	flags.StringVar(&b.ca, "ca", "", "certificate of the authority that the object store is trusted by; the system's unless given")
	return parse(flags, arguments, output, append([]string{"endpoint", "bucket", "credentials"}, required...)...)
}

// bucket holds objects by digest.
type bucket struct {
	name   string
	client *s3.Client
	anew   bool // whether what is there is uploaded again
}

func (b bucketFlags) open() (*bucket, error) {
	var key struct {
		Access string `json:"access_key"`
		Secret string `json:"secret_key"`
	}
	text, err := os.ReadFile(b.credentials)
	if err != nil {
		return nil, err
	}
	if json.Unmarshal(text, &key) != nil || key.Access == "" || key.Secret == "" {
		// The content is not shown: it may be the secret in another shape.
		return nil, fmt.Errorf(`%s does not hold {"access_key": ..., "secret_key": ...}`, b.credentials)
	}
	web := awshttp.NewBuildableClient()
	if b.ca != "" {
		authority, err := os.ReadFile(b.ca)
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(authority) {
			return nil, fmt.Errorf("%s does not hold a certificate", b.ca)
		}
		web = web.WithTransportOptions(func(transport *http.Transport) {
			transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
		})
	}
	client := s3.New(s3.Options{
		BaseEndpoint: aws.String(b.endpoint),
		Region:       signedRegion,
		UsePathStyle: true, // a store on an address has no names for its buckets
		Credentials:  credentials.NewStaticCredentialsProvider(key.Access, key.Secret, ""),
		HTTPClient:   web,
		// What is read is held to its digest here; a part of an object has no sum of its own.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	})
	return &bucket{name: b.bucket, client: client}, nil
}

// what names an object for people.
func (b *bucket) what(of digest) string { return fmt.Sprintf("%s of the bucket %s", of.key(), b.name) }

// size asks for an object without reading it.
func (b *bucket) size(ctx context.Context, of digest) (int64, error) {
	ctx, done := context.WithTimeout(ctx, 30*time.Second)
	defer done()
	found, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.name, Key: aws.String(of.key())})
	if err != nil {
		return 0, told(err)
	}
	return aws.ToInt64(found.ContentLength), nil
}

// read opens an object from a byte on.
func (b *bucket) read(ctx context.Context, of digest, from int64) (io.ReadCloser, error) {
	input := &s3.GetObjectInput{Bucket: &b.name, Key: aws.String(of.key())}
	if from > 0 {
		input.Range = aws.String(fmt.Sprintf("bytes=%d-", from))
	}
	found, err := b.client.GetObject(ctx, input)
	if err != nil {
		return nil, told(err)
	}
	return found.Body, nil
}

// told makes one error of the names that stores have for what is not there.
func told(err error) error {
	var answer smithy.APIError
	if errors.As(err, &answer) {
		switch answer.ErrorCode() {
		case "NoSuchKey", "NoSuchBucket", "NotFound":
			return errMissing
		}
	}
	return err
}
