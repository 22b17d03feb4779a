using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Mesh.Gateway.Keys;

/// <summary>Who may use the gateway: section <c>Mesh:Keys</c>.</summary>
internal sealed record KeyOptions
{
    /// <summary>When keys are asked for: <c>Auto</c>, <c>Required</c> or <c>Off</c>.</summary>
    [EnumDataType(typeof(KeyMode))]
    public KeyMode Mode { get; set; }

    /// <summary>JSON file of keys, at most 16 MiB; watched. Unset means none.</summary>
    public string? File { get; set; }

    /// <summary>Keys by id, beside those of the file.</summary>
    public Dictionary<string, KeyEntry> Entries { get; set; } = [];

    /// <summary>Signed tokens that count as keys; without an issuer none do.</summary>
    [ValidateObjectMembers]
    public JwtOptions Jwt { get; set; } = new();

    /// <summary>Wrong keys from one address in a minute after which they are answered 429 and signatures are not verified any more, 1–1,000,000.</summary>
    [Range(1, 1_000_000)]
    public int FailuresPerMinute { get; set; } = 60;

    /// <summary>True when there is anything to check keys against.</summary>
    public bool AreConfigured => !string.IsNullOrEmpty(File) || Entries.Count > 0 || Jwt.IsConfigured;
}

/// <summary>Signed tokens: section <c>Mesh:Keys:Jwt</c>. Issuer, audience and key file belong together.</summary>
internal sealed record JwtOptions
{
    /// <summary>Value of <c>iss</c> that tokens must have.</summary>
    public string? Issuer { get; set; }

    /// <summary>Value that <c>aud</c> of tokens must have among its own.</summary>
    public string? Audience { get; set; }

    /// <summary>JSON web key set with the issuer's public keys, at most 1 MiB; watched.</summary>
    public string? JwksFile { get; set; }

    /// <summary>How far the issuer's clock may be off, 0–10 min.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan ClockSkew { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>What a token may where it does not say itself. Id and hash have no meaning here.</summary>
    public KeyEntry Defaults { get; set; } = new();

    /// <summary>True when tokens count as keys.</summary>
    public bool IsConfigured => !string.IsNullOrEmpty(Issuer) || !string.IsNullOrEmpty(Audience) || !string.IsNullOrEmpty(JwksFile);
}

/// <summary>One key: what it may, never what it is.</summary>
internal sealed record KeyEntry
{
    /// <summary>Name in logs, 1–64 letters, digits, points and hyphens.</summary>
    public string? Id { get; set; }

    /// <summary>Hash as <c>mesh keys new</c> and <c>mesh keys hash</c> print it.</summary>
    public string? Hash { get; set; }

    /// <summary><c>inference</c>, <c>reader</c>, <c>operator</c>, which includes reader; inference alone when unset.</summary>
    public string[]? Roles { get; set; }

    /// <summary>Models by name, <c>*</c> and <c>?</c> being wildcards; unset means every one.</summary>
    public string[]? Models { get; set; }

    /// <summary>Requests in a minute, 1–100,000,000; unset means no limit.</summary>
    public int? RequestsPerMinute { get; set; }

    /// <summary>Prompt and answer tokens in a minute, 1–2,000,000,000; unset means no limit.</summary>
    public int? TokensPerMinute { get; set; }

    /// <summary>Inference requests under way at once, 1–1,000,000; unset means no limit.</summary>
    public int? MaxConcurrentRequests { get; set; }

    /// <summary>InferenceObjectives that requests may name, with wildcards; unset means every one.</summary>
    public string[]? Objectives { get; set; }

    /// <summary>Priority above which an objective does not lift the requests; unset means no cap.</summary>
    public int? MaxPriority { get; set; }

    /// <summary>Flow for fairness, whatever the client says; unset means that the client says.</summary>
    public string? FairnessId { get; set; }

    /// <summary>Time at which the key ends; unset means never.</summary>
    public DateTimeOffset? NotAfter { get; set; }
}
