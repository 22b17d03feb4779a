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

    /// <summary><c>max_tokens</c>, <c>max_completion_tokens</c> or <c>max_output_tokens</c>.</summary>
    MaxTokens,

    /// <summary><c>prompt</c>.</summary>
    Prompt,

    /// <summary><c>messages</c>.</summary>
    Messages,

    /// <summary><c>tools</c>.</summary>
    Tools,

    /// <summary><c>cache_salt</c>.</summary>
    CacheSalt,

    /// <summary><c>input</c>: a text, token ids, or items of a conversation.</summary>
    Input,

    /// <summary><c>system</c> or <c>instructions</c>.</summary>
    System,

    /// <summary>Another text that the server computes: of embeddings, scores and ranks.</summary>
    Text,

    /// <summary><c>request_id</c>.</summary>
    RequestId,

    /// <summary><c>previous_response_id</c>.</summary>
    PreviousResponseId,
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
        if (reader.ValueTextEquals("max_tokens"u8) || reader.ValueTextEquals("max_completion_tokens"u8) || reader.ValueTextEquals("max_output_tokens"u8))
        {
            return RootProperty.MaxTokens;
        }

        if (reader.ValueTextEquals("tools"u8)) return RootProperty.Tools;
        if (reader.ValueTextEquals("input"u8)) return RootProperty.Input;
        if (reader.ValueTextEquals("system"u8) || reader.ValueTextEquals("instructions"u8)) return RootProperty.System;
        if (reader.ValueTextEquals("request_id"u8)) return RootProperty.RequestId;
        if (reader.ValueTextEquals("previous_response_id"u8)) return RootProperty.PreviousResponseId;
        if (reader.ValueTextEquals("cache_salt"u8)) return RootProperty.CacheSalt;
        return IsText(ref reader) ? RootProperty.Text : RootProperty.Other;
    }

    private static bool IsText(ref Utf8JsonReader reader) =>
        reader.ValueTextEquals("query"u8) || reader.ValueTextEquals("documents"u8) || reader.ValueTextEquals("text_1"u8)
        || reader.ValueTextEquals("text_2"u8) || reader.ValueTextEquals("queries"u8) || reader.ValueTextEquals("texts"u8)
        || reader.ValueTextEquals("data_1"u8) || reader.ValueTextEquals("data_2"u8) || reader.ValueTextEquals("items"u8);
}
