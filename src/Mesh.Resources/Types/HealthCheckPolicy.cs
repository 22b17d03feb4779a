using Mesh.Core.Config;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Types;

/// <summary>How the endpoints of a pool are probed.</summary>
internal sealed record HealthCheckPolicy(ResourceHeader Header) : Resource(Header), IPolicy
{
    private static readonly (string, HealthCheckType)[] _types =
    [
        ("HTTP", HealthCheckType.Http), ("HTTPS", HealthCheckType.Https), ("HTTP2", HealthCheckType.Http2),
        ("TCP", HealthCheckType.Tcp), ("GRPC", HealthCheckType.Grpc),
    ];

    private static readonly (string Block, HealthCheckType Type)[] _blocks =
    [
        ("httpHealthCheck", HealthCheckType.Http), ("httpsHealthCheck", HealthCheckType.Https), ("http2HealthCheck", HealthCheckType.Http2),
        ("tcpHealthCheck", HealthCheckType.Tcp), ("grpcHealthCheck", HealthCheckType.Grpc),
    ];

    public static KindDefinition Kind { get; } = new("HealthCheckPolicy", ["networking.gke.io/v1"], Read) { ConfigClusterOnly = true };

    public LocalRef? Target { get; private init; }

    /// <summary>The probe; its port is still open where <see cref="PortName"/> is set.</summary>
    public HealthCheckConfig Check { get; private init; } = new() { RequestPath = "/" };

    /// <summary>Named container port to probe; null for a number or the serving port.</summary>
    public Located<string>? PortName { get; private init; }

    private static HealthCheckPolicy Read(ResourceHeader header, ObjectReader root) => root.Object("spec", spec =>
    {
        var target = spec.Object("targetRef", LocalRef.ReadTarget, required: true);
        var policy = spec.Object("default", d => Default(header, d)) ?? new HealthCheckPolicy(header);
        return policy with { Target = target };
    }, required: true) ?? new HealthCheckPolicy(header);

    private static HealthCheckPolicy Default(ResourceHeader header, ObjectReader d)
    {
        var check = new HealthCheckConfig { RequestPath = "/" };
        var interval = d.Int("checkIntervalSec", 1, 300);
        var timeout = d.Int("timeoutSec", 1, 300);
        var intervalSec = interval?.Value ?? (int)check.Interval.TotalSeconds;
        if (timeout is not null && timeout.Value > intervalSec)
        {
            d.Report.Error(
                timeout.At, DiagnosticCodes.TimeoutAboveInterval, $"timeoutSec {timeout.Value} is above checkIntervalSec {intervalSec}",
                $"a probe must end before the next: write at most {intervalSec}");
        }
        else if (timeout is null && interval is { Value: < 5 })
        {
            d.Report.Info(
                interval.At, DiagnosticCodes.TimeoutClamped,
                $"timeoutSec is not set; {interval.Value} s is used instead of 5 s, as a probe must end before the next");
        }

        var log = false;
        d.Object("logConfig", l =>
        {
            log = l.Bool("enabled")?.Value ?? false;
            return l;
        });
        Located<string>? portName = null;
        check = check with
        {
            Interval = TimeSpan.FromSeconds(intervalSec),
            Timeout = TimeSpan.FromSeconds(timeout?.Value ?? Math.Min(5, intervalSec)),
            HealthyThreshold = d.Int("healthyThreshold", 1, 10)?.Value ?? check.HealthyThreshold,
            UnhealthyThreshold = d.Int("unhealthyThreshold", 1, 10)?.Value ?? check.UnhealthyThreshold,
            LogProbes = log,
        };
        check = d.Object("config", c => Config(c, check, out portName)) ?? check;
        return new HealthCheckPolicy(header) { Check = check, PortName = portName };
    }

    private static HealthCheckConfig Config(ObjectReader c, HealthCheckConfig check, out Located<string>? portName)
    {
        var type = c.Choice("type", _types)?.Value ?? HealthCheckType.Http;
        check = check with { Type = type };
        Located<string>? named = null;
        foreach (var (block, blockType) in _blocks)
        {
            if (blockType == type)
            {
                check = c.Object(block, b => Block(b, check, out named)) ?? check;
                continue;
            }

            c.Ignore(block);
            if (!c.Has(block)) continue;
            c.Report.Error(
                c.SpotOf(block), DiagnosticCodes.HealthCheckMismatch, $"{block} does not belong to type {_types.First(t => t.Item2 == type).Item1}",
                $"write type: {_types.First(t => t.Item2 == blockType).Item1}, or {_blocks.First(b => b.Type == type).Block}");
        }

        portName = named;
        return check;
    }

    private static HealthCheckConfig Block(ObjectReader b, HealthCheckConfig check, out Located<string>? portName)
    {
        check = check with { Port = HealthCheckPort.Read(b, out portName) };
        if (check.Type == HealthCheckType.Grpc)
            return check with { GrpcServiceName = b.String("grpcServiceName", allowEmpty: true)?.Value };

        check = check with
        {
            ExpectedResponse = b.String("response", allowEmpty: true, maxLength: 1024) is { Value.Length: > 0 } response
                ? response.Value
                : null,
            ProxyV1 = b.Choice("proxyHeader", [("NONE", false), ("PROXY_V1", true)])?.Value ?? false,
        };
        if (check.Type == HealthCheckType.Tcp)
            return check with { TcpRequest = b.String("request", allowEmpty: true, maxLength: 1024) is { Value.Length: > 0 } r ? r.Value : null };

        var path = b.String("requestPath", allowEmpty: true, maxLength: 1024);
        if (path is { Value.Length: > 0 } && path.Value[0] != '/')
            b.Report.Error(
                path.At, DiagnosticCodes.WrongFormat, $"{path.At.Path} is {path.Value}; a path begins with /", $"write /{path.Value}");
        return check with
        {
            Host = b.String("host", allowEmpty: true) is { Value.Length: > 0 } host ? host.Value : null,
            RequestPath = path is { Value.Length: > 0 } ? path.Value : "/",
        };
    }
}

/// <summary>Which port is probed: a number, a named container port, or the one that serves.</summary>
internal static class HealthCheckPort
{
    private enum Specification
    {
        Fixed,
        Named,
        Serving,
    }

    public static int? Read(ObjectReader b, out Located<string>? portName)
    {
        var port = b.Int("port", 1, 65535);
        portName = b.String("portName");
        var specification = b.Choice("portSpecification",
            [("USE_FIXED_PORT", Specification.Fixed), ("USE_NAMED_PORT", Specification.Named), ("USE_SERVING_PORT", Specification.Serving)]);
        if (specification is null)
        {
            // A port without a specification means that port: the number wins over the name.
            if (port is not null) portName = null;
            return port?.Value;
        }

        var (wanted, other) = specification.Value switch
        {
            Specification.Fixed => ("port", "portName"),
            Specification.Named => ("portName", "port"),
            _ => (null, b.Has("port") ? "port" : "portName"),
        };
        if (wanted is not null && !b.Has(wanted))
        {
            b.Report.Error(
                specification.At, DiagnosticCodes.RequiredField, $"{b.At.Path}.{wanted} is required with this portSpecification");
        }
        else if (b.Has(other))
        {
            b.Report.Error(
                b.SpotOf(other), DiagnosticCodes.PortSpecificationMismatch, $"{b.At.Path}.{other} contradicts the portSpecification",
                $"leave out {other}, or change portSpecification");
        }

        if (specification.Value != Specification.Named) portName = null;
        return specification.Value == Specification.Fixed ? port?.Value : null;
    }
}
