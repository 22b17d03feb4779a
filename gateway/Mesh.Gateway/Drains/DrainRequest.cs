using System.Text.Json;
using System.Text.Json.Serialization;

namespace Mesh.Gateway.Drains;

/// <summary>Body of <c>POST /api/v1/drains</c>.</summary>
internal sealed record DrainRequest
{
    /// <summary>Largest body in bytes.</summary>
    public const int MaxBytes = 16 << 10;

    /// <summary>Longest reason in characters.</summary>
    public const int MaxReasonChars = 500;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow };

    /// <summary><c>endpoint</c>, <c>cluster</c> or <c>region</c>.</summary>
    public string? Kind { get; init; }

    /// <summary>Name of it.</summary>
    public string? Name { get; init; }

    /// <summary><c>namespace/name</c>; absent for every pool.</summary>
    public string? Pool { get; init; }

    /// <summary>Why, 1–500 characters.</summary>
    public string? Reason { get; init; }

    /// <summary>True takes even the last ready endpoint of a pool.</summary>
    public bool Force { get; init; }

    /// <summary>Who asks, as the client tells it; noted beside the address where no key says it.</summary>
    public string? By { get; init; }

    /// <summary>Reads a body; null, with the mistake in words, when it is none.</summary>
    public static DrainRequest? Read(ReadOnlySpan<byte> body, out DrainTarget target, out string mistake)
    {
        target = default;
        mistake = "";
        DrainRequest? read;
        try
        {
            read = JsonSerializer.Deserialize<DrainRequest>(body, Json);
        }
        catch (JsonException e)
        {
            mistake = $"The body is not what is expected at {e.Path ?? "$"}: an object with kind, name, reason and, where wanted, pool, force, by.";
            return null;
        }

        if (!DrainKinds.TryParse(read?.Kind, out var kind)) mistake = $"kind is {read?.Kind ?? "absent"}; it must be one of {DrainKinds.Names}.";
        else if (string.IsNullOrWhiteSpace(read!.Name) || read.Name.Length > 253) mistake = "name must have 1–253 characters.";
        else if (!IsReason(read.Reason)) mistake = $"reason must say why, in 1–{MaxReasonChars} characters: whoever finds the drain at night reads it.";
        if (mistake.Length > 0) return null;
        target = new DrainTarget(kind, read!.Name!, string.IsNullOrEmpty(read.Pool) ? null : read.Pool);
        return read;
    }

    private static bool IsReason(string? reason) => !string.IsNullOrWhiteSpace(reason) && reason.Length <= MaxReasonChars;
}
