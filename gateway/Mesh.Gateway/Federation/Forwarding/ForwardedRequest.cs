using System.Globalization;
using Mesh.Core.Config;
using Mesh.Core.Routing;
using Mesh.Engine.Federation;
using Mesh.Gateway.Errors;

namespace Mesh.Gateway.Federation.Forwarding;

/// <summary>
/// What a region says of a request that it sends to a peer, in headers that only the federation listener reads and no client can send: they
/// begin with <c>x-mesh-</c>, which ordinary listeners never pass on.
/// </summary>
/// <param name="OriginRegion">Region whose client it is.</param>
/// <param name="Pool">Pool that it was matched to there.</param>
internal sealed record ForwardedRequest(string OriginRegion, PoolId Pool)
{
    /// <summary>Response header of the peer's: it is the model server's answer that follows.</summary>
    public const string PlacedHeader = "x-mesh-forward-placed";

    private const string PoolHeader = "x-mesh-forward-pool";
    private const string HopsHeader = "x-mesh-forward-hops";
    private const string PriorityHeader = "x-mesh-forward-priority";
    private const string FairnessHeader = "x-mesh-forward-fairness";
    private const string TimeLeftHeader = "x-mesh-forward-time-left-ms";
    private const string EpochHeader = "x-mesh-forward-epoch";
    private const string ReasonHeader = "x-mesh-forward-reason";
    private const string SessionHeader = "x-mesh-forward-session";
    private const string ExplainHeader = "x-mesh-forward-explain";

    private const int MaxChars = 1024;

    /// <summary>Regions that have sent it on, 1 from a peer.</summary>
    public int Hops { get; init; } = 1;

    /// <summary>Priority, as the origin's objective and key have it.</summary>
    public int Priority { get; init; }

    /// <summary>Flow for fairness.</summary>
    public string FairnessId { get; init; } = "";

    /// <summary>Time that it has left; a span, so that clocks need not agree.</summary>
    public TimeSpan? TimeLeft { get; init; }

    /// <summary>Epoch of the origin's account that it was counted in.</summary>
    public long Epoch { get; init; }

    /// <summary>Why it was sent.</summary>
    public DecisionReason Reason { get; init; }

    /// <summary>Hash of its session; 0 without one.</summary>
    public ulong Session { get; init; }

    /// <summary>Its decision is to be kept.</summary>
    public bool Explain { get; init; }

    /// <summary>Writes the headers.</summary>
    public void Write(IHeaderDictionary headers)
    {
        headers[PoolHeader] = $"{Pool.Namespace}/{Pool.Name}";
        headers[HopsHeader] = Hops.ToString(CultureInfo.InvariantCulture);
        headers[PriorityHeader] = Priority.ToString(CultureInfo.InvariantCulture);
        if (FairnessId.Length > 0) headers[FairnessHeader] = Uri.EscapeDataString(FairnessId);
        if (TimeLeft is { } left) headers[TimeLeftHeader] = Math.Max(1, (long)left.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
        headers[EpochHeader] = Epoch.ToString(CultureInfo.InvariantCulture);
        headers[ReasonHeader] = Refusals.NameOf(Reason);
        if (Session != 0) headers[SessionHeader] = Session.ToString(CultureInfo.InvariantCulture);
        if (Explain) headers[ExplainHeader] = "1";
    }

    /// <summary>Reads the headers of a request that a peer sent; null when one is missing or cannot be read.</summary>
    /// <param name="headers">Headers.</param>
    /// <param name="origin">The peer.</param>
    public static ForwardedRequest? Read(IHeaderDictionary headers, PeerIdentity origin)
    {
        if (Value(headers, PoolHeader)?.Split('/') is not [{ Length: > 0 } ns, { Length: > 0 } name]) return null;
        if (!int.TryParse(Value(headers, HopsHeader), NumberStyles.None, CultureInfo.InvariantCulture, out var hops)) return null;
        if (!int.TryParse(Value(headers, PriorityHeader), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var priority)) return null;
        if (!long.TryParse(Value(headers, EpochHeader), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var epoch)) return null;
        TimeSpan? left = null;
        if (Value(headers, TimeLeftHeader) is { } text)
        {
            if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var ms) || ms > int.MaxValue * 1000L) return null;
            left = TimeSpan.FromMilliseconds(ms);
        }

        return new ForwardedRequest(origin.Region, new PoolId(ns, name))
        {
            Hops = hops,
            Priority = priority,
            FairnessId = Value(headers, FairnessHeader) is { } fairness ? Uri.UnescapeDataString(fairness) : "",
            TimeLeft = left,
            Epoch = epoch,
            Reason = Refusals.ReasonNamed(Value(headers, ReasonHeader)),
            Session = ulong.TryParse(Value(headers, SessionHeader), NumberStyles.None, CultureInfo.InvariantCulture, out var session) ? session : 0,
            Explain = Value(headers, ExplainHeader) == "1",
        };
    }

    private static string? Value(IHeaderDictionary headers, string name) =>
        headers.TryGetValue(name, out var values) && values is [{ Length: > 0 and <= MaxChars } value] ? value : null;
}
