namespace Mesh.Grains.Contracts;

/// <summary>
/// What a gateway has for a pool at one moment: what became of requests, and requests to place, in this order, so that what was given back is there
/// for who comes. One message for all of them: what a message costs is most of what placing one request costs.
/// </summary>
[GenerateSerializer, Immutable, Alias("mesh.exchange")]
internal sealed record Exchange
{
    /// <summary>What became of requests; its epoch and session are those of the calls, too.</summary>
    [Id(0)] public required FeedbackBatch Feedback { get; init; }

    /// <summary>See <see cref="RouteCall.Settled"/>: for all calls.</summary>
    [Id(1)] public long Settled { get; init; }

    /// <summary>Requests, in the order in which they came. Their own epochs, sessions and settled numbers say nothing.</summary>
    [Id(2)] public RouteCall[] Calls { get; init; } = [];
}

/// <summary>What a pool says to an <see cref="Exchange"/>.</summary>
/// <param name="Pool">As to everything else. Where it asks for an announcement, nothing was carried out.</param>
/// <param name="Replies">One for each call, in their order; a call that has to wait is told so at once, and is then to be asked by itself.</param>
[GenerateSerializer, Immutable, Alias("mesh.exchange-reply")]
internal readonly record struct ExchangeReply([property: Id(0)] PoolReply Pool, [property: Id(1)] RouteReply[] Replies);
