using System.Text.Json;

namespace Mesh.Gateway.Inference.RequestBody;

/// <summary>The properties of a body that the gateway reads.</summary>
internal enum RootProperty
{
    /// <summary>Any other.</summary>
    Other,

    /// <summary><c>model</c>.</summary>
    Model,

    /// <summary><c>stream</c>.</summary>
    Stream,

    /// <summary><c>stream_options</c>.</summary>
    StreamOptions,

    /// <summary><c>max_tokens</c> or <c>max_completion_tokens</c>.</summary>
    MaxTokens,

    /// <summary><c>prompt</c>.</summary>
    Prompt,

    /// <summary><c>messages</c>.</summary>
    Messages,

    /// <summary><c>tools</c>.</summary>
    Tools,

    /// <summary><c>cache_salt</c>.</summary>
    CacheSalt,
}

/// <summary>Recognizes a property name without making a string of it.</summary>
internal static class RootProperties
{
    /// <summary>The property at whose name the reader stands.</summary>
    public static RootProperty Find(ref Utf8JsonReader reader)
    {
        if (reader.ValueTextEquals("model"u8)) return RootProperty.Model;
        if (reader.ValueTextEquals("messages"u8)) return RootProperty.Messages;
        if (reader.ValueTextEquals("prompt"u8)) return RootProperty.Prompt;
        if (reader.ValueTextEquals("stream"u8)) return RootProperty.Stream;
        if (reader.ValueTextEquals("stream_options"u8)) return RootProperty.StreamOptions;
        if (reader.ValueTextEquals("max_tokens"u8) || reader.ValueTextEquals("max_completion_tokens"u8)) return RootProperty.MaxTokens;
        if (reader.ValueTextEquals("tools"u8)) return RootProperty.Tools;
        return reader.ValueTextEquals("cache_salt"u8) ? RootProperty.CacheSalt : RootProperty.Other;
    }
}
