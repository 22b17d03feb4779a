using Mesh.Resources.Diagnostics;
using Mesh.Resources.Tests.Support;

namespace Mesh.Resources.Tests.Validation;

/// <summary>Both edges of every range, one by one, inside and outside.</summary>
public sealed class RangeTests
{
    [Theory]
    [InlineData("GCPBackendPolicy", "timeoutSec: {0}", "1", "2147483647", "0", "2147483648")]
    [InlineData("GCPBackendPolicy", "connectionDraining: {{drainingTimeoutSec: {0}}}", "0", "3600", "-1", "3601")]
    [InlineData("GCPBackendPolicy", "sessionAffinity: {{type: HTTP_COOKIE, cookieTtlSec: {0}}}", "0", "1209600", "-1", "1209601")]
    [InlineData("GCPBackendPolicy", "sessionAffinity: {{type: HTTP_COOKIE, cookie: {{name: c, ttl: {0}}}}}", "0s", "336h", "-1s", "336h1s")]
    [InlineData("GCPBackendPolicy", "logging: {{enabled: true, sampleRate: {0}}}", "0", "1000000", "-1", "1000001")]
    [InlineData("GCPBackendPolicy", "capacityScalerPercent: {0}", "0", "100", "-1", "101")]
    [InlineData("GCPBackendPolicy", "capacityScalarPercent: {0}", "0", "100", "-1", "101")]
    [InlineData("GCPBackendPolicy", "maxInFlightPerEndpoint: {0}", "1", "2147483647", "0", "2147483648")]
    [InlineData("GCPBackendPolicy", "maxInFlightRequestsPerEndpoint: {0}", "1", "2147483647", "0", "2147483648")]
    [InlineData("GCPBackendPolicy", "maxRatePerEndpoint: {0}", "1", "1e9", "0.999", "1000000001")]
    [InlineData("GCPBackendPolicy", "maxUtilization: {0}", "0.01", "100", "0", "100.1")]
    [InlineData("GCPBackendPolicy", "maxUtilization: {0}", "0.999", "2", "1", "1.999")]
    [InlineData("GCPBackendPolicy", "maxUtilizationPercent: {0}", "1", "100", "0", "101")]
    [InlineData("HealthCheckPolicy", "checkIntervalSec: {0}", "1", "300", "0", "301")]
    [InlineData("HealthCheckPolicy", "{{checkIntervalSec: 300, timeoutSec: {0}}}", "1", "300", "0", "301")]
    [InlineData("HealthCheckPolicy", "healthyThreshold: {0}", "1", "10", "0", "11")]
    [InlineData("HealthCheckPolicy", "unhealthyThreshold: {0}", "1", "10", "0", "11")]
    [InlineData("HealthCheckPolicy", "config: {{type: HTTP, httpHealthCheck: {{port: {0}}}}}", "1", "65535", "0", "65536")]
    [InlineData("HealthCheckPolicy", "config: {{type: TCP, tcpHealthCheck: {{port: {0}}}}}", "1", "65535", "0", "65536")]
    [InlineData("GCPTrafficDistributionPolicy", "failoverConfig: {{failoverHealthThreshold: {0}}}", "1", "99", "0", "100")]
    public void Load_EdgeOfARange_IsTakenInsideAndRefusedOutside(
        string kind, string field, string lowest, string highest, string below, string above)
    {
        foreach (var value in new[] { lowest, highest }) Assert.Empty(Errors(kind, field, value));
        foreach (var value in new[] { below, above })
        {
            var error = Assert.Single(Errors(kind, field, value));
            Assert.True(
                error.Code is DiagnosticCodes.OutOfRange or DiagnosticCodes.AmbiguousUtilization or DiagnosticCodes.WrongFormat,
                error.ToString());
            Assert.StartsWith("spec.default.", error.Path, StringComparison.Ordinal);
            Assert.Equal("west/policy.yaml", error.File);
        }
    }

    [Theory]
    [InlineData("FlowControlPolicy", "maxWaitingRequests: {0}", "1", "1000000", "0", "1000001")]
    [InlineData("FlowControlPolicy", "maxWaitingBytes: {0}", "1", "1125899906842624", "0", "1125899906842625")]
    [InlineData("FlowControlPolicy", "maxWaitingBytes: {0}", "0.5", "1Pi", "-1", "9999999Ei")]
    [InlineData("FlowControlPolicy", "maxWaitSec: {0}", "1", "3600", "0", "3601")]
    [InlineData("KvEventsPolicy", "port: {0}", "1", "65535", "0", "65536")]
    [InlineData("KvEventsPolicy", "replayPort: {0}", "1", "65535", "0", "65536")]
    [InlineData("KvEventsPolicy", "ranks: {0}", "1", "256", "0", "257")]
    [InlineData("KvEventsPolicy", "offloadWeight: {0}", "0", "1", "-0.01", "1.01")]
    [InlineData("SchedulingProfile", "lateBinding: {{bindAheadMs: {0}}}", "0", "10000", "-1", "10001")]
    [InlineData("SchedulingProfile", "timePerOutputTokenTargetMs: {0}", "0.1", "60000", "0.09", "60000.1")]
    [InlineData("SchedulingProfile", "stepTimes: {{prefill: {{tokens: [{0}, 1e9], ms: [1, 1]}}, decode: {{batches: [0, 1], contexts: [0, 1], ms: [[1, 1], [1, 1]]}}}}", "0", "999999999", "-1", "1e9")]
    [InlineData("SchedulingProfile", "stepTimes: {{prefill: {{tokens: [0, 1], ms: [0.001, {0}]}}, decode: {{batches: [0, 1], contexts: [0, 1], ms: [[1, 1], [1, 1]]}}}}", "0.001", "3600000", "0", "3600001")]
    [InlineData("SchedulingProfile", "stepTimes: {{prefill: {{tokens: [0, 1], ms: [1, 1]}}, decode: {{batches: [0, 1], contexts: [0, 1], ms: [[0.001, 0.001], [0.001, {0}]]}}}}", "0.001", "3600000", "0", "3600001")]
    public void Load_EdgeOfARangeOfTheMeshsOwnKinds_IsTakenInsideAndRefusedOutside(string kind, string field, string lowest, string highest, string below, string above)
    {
        foreach (var value in new[] { lowest, highest }) Assert.Empty(OwnErrors(kind, field, value));
        foreach (var value in new[] { below, above })
        {
            var error = Assert.Single(OwnErrors(kind, field, value));
            Assert.True(error.Code is DiagnosticCodes.OutOfRange or DiagnosticCodes.NotRising, error.ToString());
            Assert.StartsWith("spec.", error.Path, StringComparison.Ordinal);
        }
    }

    private static List<Diagnostic> OwnErrors(string kind, string field, string value)
    {
        using var directory = new TempDirectory();
        directory.CopyFrom(Cases.Fleet);
        directory.Write("west/own.yaml", $$"""
            apiVersion: mesh.internal/v1alpha1
            kind: {{kind}}
            metadata: {name: own}
            spec:
              targetRef: {group: networking.gke.io, kind: GCPInferencePoolImport, name: experimental}
              {{string.Format(System.Globalization.CultureInfo.InvariantCulture, field, value)}}
            """);
        return [.. ManifestLoader.Load(directory.Path).Diagnostics.Where(d => d.Severity == Severity.Error)];
    }

    private static List<Diagnostic> Errors(string kind, string field, string value)
    {
        using var directory = new TempDirectory();
        directory.CopyFrom(Cases.Fleet);
        const string Target = "{group: networking.gke.io, kind: GCPInferencePoolImport, name: experimental}";
        var text = string.Format(System.Globalization.CultureInfo.InvariantCulture, field, value);
        directory.Write("west/policy.yaml", $$"""
            apiVersion: networking.gke.io/v1
            kind: {{kind}}
            metadata: {name: policy}
            spec:
              {{(kind == "GCPTrafficDistributionPolicy" ? $"targetRefs: [{Target}]" : $"targetRef: {Target}")}}
              default:
                {{text}}
            """);
        return [.. ManifestLoader.Load(directory.Path).Diagnostics.Where(d => d.Severity == Severity.Error)];
    }
}
