using Mesh.Core.Config;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Tests.Support;

namespace Mesh.Resources.Tests;

public sealed class ManifestLoaderTests
{
    [Fact]
    public void Load_Quickstart_HasNoFindings()
    {
        var result = ManifestLoader.Load(Cases.Quickstart);

        Assert.Empty(result.Diagnostics);
        var pool = Assert.Single(result.Config!.Pools);
        Assert.Equal(new PoolId("default", "vllm-llama3-8b-instruct"), pool.Id);
        Assert.Equal(["gke-east/us-east4-a:8000", "gke-west/europe-west3-c:8000"], pool.Backends.Select(b => b.Id.ToString()));
        Assert.Equal(
            ["127.1.0.1:8000", "127.1.0.2:8000", "127.1.0.3:8000", "127.1.0.4:8000"], pool.Backends[1].Endpoints.Select(e => e.Id.Address));
        Assert.Equal(TimeSpan.FromSeconds(100), pool.Timeout);
        Assert.Equal("/health", pool.HealthCheck.RequestPath);
        Assert.Equal(8000, pool.HealthCheck.Port);
        Assert.Equal(0.6, Assert.Single(pool.Backends[0].Settings.CustomMetrics).MaxUtilization);
        Assert.Equal(new[] { "europe-west3", "us-east4" }, Assert.Single(result.Config.Gateways).Regions.AsEnumerable());
        Assert.Equal(new ObjectiveConfig("default", "food-review", 10, "vllm-llama3-8b-instruct"), Assert.Single(result.Config.Objectives));
        var page = Assert.Single(pool.Backends[0].Endpoints[0].MetricsPages);
        Assert.Equal(["kv-cache", "kv-cache-old"], page.Exports.Select(e => e.ExportName));
        Assert.Equal("gke-west", Assert.Single(result.Config.Clusters, c => c.IsConfigCluster).Name);
    }

    [Fact]
    public void Load_HttpsListener_HasItsEffectAndItsCertificates()
    {
        using var directory = new TempDirectory();
        directory.CopyFrom(Cases.Fleet);
        directory.Write("west/gateway.yaml", """
            apiVersion: gateway.networking.k8s.io/v1
            kind: Gateway
            metadata: {name: tls}
            spec:
              gatewayClassName: gke-l7-cross-regional-internal-managed-mc
              listeners:
              - {name: plain, protocol: HTTP, port: 80}
              - {name: secret, protocol: HTTPS, port: 443, tls: {certificateRefs: [{name: store}, {name: spare}]}}
            """);
        var result = ManifestLoader.Load(directory.Path);
        Assert.DoesNotContain(result.Diagnostics, d => d.Code == DiagnosticCodes.NoEffectYet);
        var listeners = Assert.Single(result.Config!.Gateways, g => g.Name == "tls").Listeners;
        Assert.Equal([], listeners[0].Certificates.ToArray());
        Assert.Equal(["store", "spare"], listeners[1].Certificates.ToArray());
    }

    [Fact]
    public void Load_FieldsThatTheGatewayObeys_AreNotToldOf()
    {
        using var directory = new TempDirectory();
        directory.CopyFrom(Cases.Fleet);
        directory.Write("west/policy.yaml", """
            apiVersion: networking.gke.io/v1
            kind: GCPBackendPolicy
            metadata: {name: policy}
            spec:
              targetRef: {group: networking.gke.io, kind: GCPInferencePoolImport, name: experimental}
              default:
                sessionAffinity: {type: CLIENT_IP}
                connectionDraining: {drainingTimeoutSec: 5}
                logging: {enabled: true}
                balancingMode: RATE
                maxRatePerEndpoint: 10
            """);
        var result = ManifestLoader.Load(directory.Path);
        Assert.DoesNotContain(result.Diagnostics, d => d.Code == DiagnosticCodes.NoEffectYet);
        var pool = result.Config!.Pools.Single(p => p.Id.Name == "experimental");
        Assert.Equal((TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(5), 1.0), (pool.DrainingLimit, pool.DrainingTimeout, pool.LogSampleRatio));
        Assert.All(result.Config.Pools.Where(p => p.Id != pool.Id), p => Assert.Null(p.DrainingLimit));
    }

    [Fact]
    public void Load_TenMistakes_GivesTenErrorsEachWithItsPlace()
    {
        var result = ManifestLoader.Load(Path.Combine(Cases.Golden, "ten-mistakes", "in"));

        var errors = result.Diagnostics.Where(d => d.Severity == Severity.Error).ToList();
        Assert.Equal(10, errors.Count);
        Assert.All(errors, e =>
        {
            Assert.True(e.Line > 0 && e.Column > 0 && e.Document > 0, e.ToString());
            Assert.True(e.Path.Length > 0 || e.Code == DiagnosticCodes.YamlSyntax, e.ToString());
        });
        Assert.Equal(10, errors.Select(e => e.Code).Distinct().Count());
        Assert.Null(result.Config);
        Assert.True(result.HasErrors);
    }

    [Fact]
    public void Load_MissingDirectory_IsAnError()
    {
        var result = ManifestLoader.Load("/no/such/directory");
        var error = Assert.Single(result.Diagnostics);
        Assert.Equal(
            "directory: error directory-missing: There is no directory /no/such/directory; name a directory with one folder of manifests for each cluster",
            error.ToString());
        Assert.Null(result.Config);
    }

    [Fact]
    public void Load_EmptyDirectory_IsAnError()
    {
        using var directory = new TempDirectory();
        Directory.CreateDirectory(Path.Combine(directory.Path, "gke-west"));
        Assert.Equal(DiagnosticCodes.DirectoryEmpty, Assert.Single(ManifestLoader.Load(directory.Path).Diagnostics).Code);
    }

    [Fact]
    public void Load_FilesElsewhere_AreToldOfAndNotRead()
    {
        using var directory = new TempDirectory();
        directory.CopyFrom(Cases.Quickstart);
        directory.Write("stray.yaml", "a: 1");
        directory.Write("gke-west/old/stray.yaml", "a: 1");
        directory.Write("gke-west/.draft.yaml", "a: [");
        directory.Write("gke-west/notes.txt", "a: [");
        var result = ManifestLoader.Load(directory.Path);
        Assert.False(result.HasErrors);
        Assert.Equal(
            [DiagnosticCodes.NestedDirectory, DiagnosticCodes.FileOutsideCluster],
            result.Diagnostics.Where(d => d.Code != DiagnosticCodes.NoEffectYet).Select(d => d.Code));
    }

    [Fact]
    public void Load_SyntaxErrorInOneDocument_StillChecksTheOthers()
    {
        using var directory = new TempDirectory();
        directory.CopyFrom(Cases.Fleet);
        directory.Write("west/a.yaml", """
            apiVersion: networking.gke.io/v1
            kind: GCPBackendPolicy
            metadata: {name: one}
            spec: {targetRef: {group: networking.gke.io, kind: GCPInferencePoolImport, name: experimental}, default: {timeoutSec: 0}}
            ---
            a: [1
            b: 2
            --- # the third
            apiVersion: networking.gke.io/v1
            kind: HealthCheckPolicy
            metadata: {name: three}
            spec: {targetRef: {group: networking.gke.io, kind: GCPInferencePoolImport, name: experimental}, default: {timeoutSec: 301}}
            """);
        var errors = ManifestLoader.Load(directory.Path).Diagnostics.Where(d => d.Severity == Severity.Error).ToList();
        Assert.Equal(
            [(1, 4, "out-of-range"), (2, 6, "yaml-syntax"), (3, 12, "out-of-range")], errors.Select(e => (e.Document, e.Line, e.Code)));
    }

    [Fact]
    public void Load_KubectlDump_IsExpandedAndReadWithPathsOfItsItems()
    {
        using var directory = new TempDirectory();
        directory.CopyFrom(Cases.Fleet);
        directory.Write("west/dump.yaml", """
            apiVersion: v1
            kind: List
            metadata: {resourceVersion: ""}
            items:
            - apiVersion: v1
              kind: Pod
              metadata:
                name: server-9
                creationTimestamp: "2026-01-01T00:00:00Z"
                labels: {app: experimental, pod-template-hash: "123"}
                ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: rs, uid: x}]
                uid: abc
              spec: {nodeName: n1, dnsPolicy: ClusterFirst, containers: [{name: vllm, image: x, resources: {limits: {nvidia.com/gpu: "1"}}}]}
              status: {phase: Running, hostIP: 10.9.9.9, podIP: 10.1.0.9, podIPs: [{ip: 10.1.0.9}]}
            - apiVersion: v1
              kind: Pod
              metadata: {name: server-10, labels: {app: experimental}}
              status: {podIP: 10.1.0.300}
            """);
        var result = ManifestLoader.Load(directory.Path);
        Assert.Equal("west/dump.yaml:18:12: error wrong-format: items[1].status.podIP is 10.1.0.300, which is no IP address (document 1, items[1].status.podIP)",
            Assert.Single(result.Diagnostics, d => d.Severity == Severity.Error).ToString());
    }
}
