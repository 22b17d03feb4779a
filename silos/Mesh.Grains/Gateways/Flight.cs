using Mesh.Grains.Contracts;

namespace Mesh.Grains.Gateways;

/// <summary>One message on its way to a pool and back.</summary>
internal sealed class Flight(Ask[] asks, Exchange message, long sentAt)
{
    /// <summary>Who is asked for.</summary>
    public Ask[] Asks { get; } = asks;

    /// <summary>What is sent.</summary>
    public Exchange Message { get; } = message;

    /// <summary>When.</summary>
    public long SentAt { get; } = sentAt;

    /// <summary>True once nobody waits for its return any more: what it told is told again. Answers that it brings all the same count.</summary>
    public bool IsGivenUp { get; set; }
}
