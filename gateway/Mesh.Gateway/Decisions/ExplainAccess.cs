using System.Net;
using Mesh.Core.HttpRouting;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Keys;

namespace Mesh.Gateway.Decisions;

/// <summary>Which requests have their decision explained: those that ask and may, and a sample.</summary>
internal sealed class ExplainAccess(GatewayOptions options)
{
    private readonly ExplainMode _mode = options.Explain;
    private readonly double _sampleRate = options.DecisionLog.SampleRate;

    // A sequence of its own: what is kept must not change where requests go.
    private readonly RequestDraw _draw = new(options.Seed ^ 0xDEC1_5104);

    /// <summary>True when the client asks with <c>x-mesh-explain: 1</c> and is allowed to: where keys are asked for, by a key that may look inside, unless everyone may.</summary>
    /// <param name="context">Request.</param>
    /// <param name="caller">Who sent it; null where no key is asked for.</param>
    public bool IsAsked(HttpContext context, Caller? caller = null) =>
        _mode != ExplainMode.Off && context.Request.Headers.TryGetValue("x-mesh-explain", out var asked) && asked == "1"
            && (_mode == ExplainMode.Everyone || (IsLoopback(context.Connection.RemoteIpAddress) && (caller is null || caller.Roles.HasFlag(KeyRoles.Reader))));

    /// <summary>True for the requests that the sample takes.</summary>
    public bool IsSampled() => _sampleRate > 0 && (_sampleRate >= 1 || _draw.NextRatio() < _sampleRate);

    /// <summary>True for an address of this machine.</summary>
    public static bool IsLoopback(IPAddress? address) =>
        address is not null && IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);
}
